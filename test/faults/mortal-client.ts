import type { KubeClient } from "#lib/kube/client.ts";

/** Where in a write a process dies: before the apiserver hears of it, or after it acted and before its answer. */
export type Death = "before" | "after";

/** A client whose process dies at a chosen write: from then on nothing of it reaches the apiserver. */
export interface MortalClient {
  readonly client: KubeClient;
  /** Writes since the last `arm`, the fatal one included. */
  readonly writes: number;
  /** Counts writes from here on and dies at the `count`-th (from 1); 0 = dies now. */
  arm(death: Death, count: number): void;
  /** Resolves at the death. */
  readonly died: Promise<void>;
}

const WRITES: ReadonlySet<string> = new Set(["create", "replace", "apply", "mergePatch", "jsonPatch", "delete"]);

type Call = (...args: unknown[]) => Promise<unknown>;

/** Wraps a client, which itself is not closed: others may have it too. It lives for ever until it is armed. */
export function createMortalClient(living: KubeClient): MortalClient {
  const died = Promise.withResolvers<void>();
  let dead = false;
  let writes = 0;
  let fatal: { death: Death; count: number } | undefined;

  function die(): void {
    dead = true;
    died.resolve();
  }

  function assertAlive(): void {
    if (dead) throw new Error("this process is dead");
  }

  async function write(send: () => Promise<unknown>): Promise<unknown> {
    writes += 1;
    if (writes !== fatal?.count) return send();
    if (fatal.death === "after") await send().catch(() => undefined);
    die();
    return assertAlive();
  }

  async function call(name: string, send: () => Promise<unknown>): Promise<unknown> {
    assertAlive();
    const answer = await (WRITES.has(name) ? write(send) : send());
    // An answer that comes after the death of the one who asked is heard by nobody.
    assertAlive();
    return answer;
  }

  const client = new Proxy(living, {
    get(target, name: keyof KubeClient) {
      if (name === "close") return () => Promise.resolve();
      if (name === "watch") return mortalWatch;
      const method = target[name] as unknown as Call;
      return (...args: unknown[]) => call(name, () => method(...args));
    },
  });

  async function* mortalWatch(...args: Parameters<KubeClient["watch"]>): AsyncGenerator<unknown> {
    assertAlive();
    for await (const event of living.watch(...args)) {
      assertAlive();
      yield event;
    }
  }

  return {
    client,
    get writes() {
      return writes;
    },
    arm(death, count) {
      writes = 0;
      fatal = { death, count };
      if (count === 0) die();
    },
    died: died.promise,
  };
}
