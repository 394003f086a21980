import { performance } from "node:perf_hooks";
import type { KubeClient } from "#lib/kube/client.ts";
import type { KubeObject, ResourceType, WatchEvent } from "#lib/kube/types.ts";

/** Objects of one kind in one namespace as they come and go; keeps none of them. */
export interface Tracker {
  stop(): Promise<void>;
}

/** Tells of each event of a kind from now on, with `performance.now()`. A watch the server ends goes on where it was. */
export async function track<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  namespace: string,
  tell: (event: Exclude<WatchEvent<T>, { type: "BOOKMARK" }>, now: number) => void,
): Promise<Tracker> {
  const end = new AbortController();
  let { resourceVersion } = await client.list(type, { namespace, limit: 1 });
  const running = (async () => {
    while (!end.signal.aborted) {
      for await (const event of client.watch(type, { namespace, resourceVersion, signal: end.signal })) {
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        if (event.type !== "BOOKMARK") tell(event, performance.now());
      }
    }
  })();
  return {
    async stop() {
      end.abort();
      await running;
    },
  };
}

/** A set of names that somebody waits for. */
export function createRendezvous() {
  const at = new Map<string, number>();
  const waiting = new Map<string, (now: number) => void>();
  return {
    /** Says that it happened; only the first time counts. */
    happened(name: string, now: number): void {
      if (at.has(name)) return;
      at.set(name, now);
      waiting.get(name)?.(now);
      waiting.delete(name);
    },
    /** When it happened, or will. @throws Error when it has not after so long. */
    when(name: string, patienceMs: number): Promise<number> {
      const known = at.get(name);
      if (known !== undefined) return Promise.resolve(known);
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const timer = setTimeout(() => reject(new Error(`${name}: not after ${patienceMs / 1000} s`)), patienceMs);
      waiting.set(name, (now) => {
        clearTimeout(timer);
        resolve(now);
      });
      return promise;
    },
  };
}
