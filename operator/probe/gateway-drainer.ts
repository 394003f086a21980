import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { createCallQueue, type QueuedCall } from "./call-queue.ts";
import type { GatewayTarget } from "./gateway-prober.ts";

/**
 * What a gateway that is to finish its work said last. `Deaf`: it cannot be asked (it is silent, refuses the token or knows no
 * such call), so there is nothing to wait for.
 */
export type DrainVerdict = "Busy" | "Idle" | "Deaf";

/** The calls of a drain. Neither throws for what the gateway did; both may reject once `signal` aborted. */
export interface GatewaySuspension {
  /** Asks the gateway to take no new work, for two minutes from now. `undefined`: it gave no answer, which may pass. */
  suspend(target: GatewayTarget, signal: AbortSignal): Promise<DrainVerdict | undefined>;
  /** Lets the gateway take new work again; false when it did not answer. */
  resume(target: GatewayTarget, signal: AbortSignal): Promise<boolean>;
}

/**
 * Drains gateways beside the reconciles, as those wait for nobody but the apiserver. A gateway takes no new work only as long
 * as somebody goes on asking: one that is forgotten, or whose operator died, serves again after two minutes.
 */
export interface GatewayDrainer {
  /** Keeps this gateway from taking new work, until it is resumed or forgotten. */
  drain(key: string, target: GatewayTarget): void;
  /** What the gateway of this id said last; undefined = nothing yet. */
  verdict(key: string, id: string): DrainVerdict | undefined;
  /** Lets this gateway take new work again. */
  resume(key: string, target: GatewayTarget): void;
  /** Stops a drain without a word to the gateway, which is about to end. */
  forget(key: string): void;
  /** Ends all calls. */
  close(): void;
}

/** Options of a drainer. */
export interface GatewayDrainerOptions {
  readonly calls: GatewaySuspension;
  /** Told the key whenever its verdict changed. */
  readonly onVerdict: (key: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Pause after the first call; doubled with each further one. OpenClaw takes 30 such calls a minute, and forgets one after 120 s. */
const PAUSE_BASE_MS = 1_000;
const PAUSE_MAX_MS = 5_000;
/** Calls in a row without an answer before a gateway counts as deaf. */
const DEAF_AFTER = 3;

interface Task extends QueuedCall {
  readonly key: string;
  readonly kind: "drain" | "resume";
  readonly target: GatewayTarget;
  calls: number;
  unanswered: number;
  verdict: DrainVerdict | undefined;
  cancelTimer: () => void;
}

/** A drainer with nothing to do yet. */
export function createGatewayDrainer(o: GatewayDrainerOptions): GatewayDrainer {
  const tasks = new Map<string, Task>();
  const enqueue = createCallQueue(attempt);

  function start(key: string, kind: Task["kind"], target: GatewayTarget): void {
    const before = tasks.get(key);
    if (before?.kind === kind && before.target.id === target.id) return;
    if (before) end(before);
    const task: Task = {
      key,
      kind,
      target,
      abort: new AbortController(),
      calls: 0,
      unanswered: 0,
      verdict: undefined,
      cancelTimer: () => undefined,
    };
    tasks.set(key, task);
    enqueue(task);
  }

  function end(task: Task): void {
    tasks.delete(task.key);
    task.abort.abort();
    task.cancelTimer();
  }

  async function attempt(task: Task): Promise<void> {
    task.calls++;
    const goesOn = await (task.kind === "drain" ? suspend(task) : resume(task)).catch((error: unknown) => {
      if (task.abort.signal.aborted) return false;
      o.log.error({ err: error, instance: task.key }, "the call of a gateway failed to run");
      return true;
    });
    if (task.abort.signal.aborted) return;
    if (!goesOn) {
      end(task);
      return;
    }
    const pauseMs = Math.min(PAUSE_BASE_MS * 2 ** (task.calls - 1), PAUSE_MAX_MS);
    task.cancelTimer = o.clock.setTimer(() => enqueue(task), pauseMs);
  }

  async function suspend(task: Task): Promise<boolean> {
    const said = await o.calls.suspend(task.target, task.abort.signal);
    task.unanswered = said === undefined ? task.unanswered + 1 : 0;
    const verdict = said ?? (task.unanswered >= DEAF_AFTER ? "Deaf" : undefined);
    if (verdict !== undefined && verdict !== task.verdict && !task.abort.signal.aborted) {
      task.verdict = verdict;
      o.onVerdict(task.key);
    }
    return true;
  }

  async function resume(task: Task): Promise<boolean> {
    if (await o.calls.resume(task.target, task.abort.signal)) return false;
    return task.calls < DEAF_AFTER;
  }

  return {
    drain: (key, target) => start(key, "drain", target),
    resume: (key, target) => start(key, "resume", target),
    verdict(key, id) {
      const task = tasks.get(key);
      return task?.kind === "drain" && task.target.id === id ? task.verdict : undefined;
    },
    forget(key) {
      const task = tasks.get(key);
      // One that is to serve again is told so, whatever is wanted of it next.
      if (task?.kind === "drain") end(task);
    },
    close() {
      for (const task of tasks.values()) end(task);
    },
  };
}
