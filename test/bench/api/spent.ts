import { readCoreSeconds } from "../kit/core-usage.ts";
import type { Usage } from "../kit/process-usage.ts";
import type { RunningContender } from "./contender.ts";
import { PROXY_CORE } from "./cores.ts";

/** What a proxy used while something was done. */
export interface Spent {
  /** CPU time of the proxy; undefined where there is none. */
  readonly cpuSeconds: number | undefined;
  /** Share (0 to 1) of its core that others took. */
  readonly disturbed: number;
}

/** Does something and says what it cost the proxy. */
export async function spend<T>(proxy: RunningContender, work: () => Promise<T>): Promise<Spent & { result: T }> {
  const before = await look(proxy);
  const result = await work();
  const after = await look(proxy);
  const own = cpuOf(after.usage) - cpuOf(before.usage);
  const others = after.core - before.core - own;
  const disturbed = Math.max(0, others / (after.at - before.at));
  return { result, disturbed, cpuSeconds: after.usage ? own : undefined };
}

async function look(proxy: RunningContender) {
  const [usage, core] = await Promise.all([proxy.usage(), readCoreSeconds(PROXY_CORE)]);
  return { usage, core, at: performance.now() / 1000 };
}

function cpuOf(usage: Usage | undefined): number {
  return usage?.cpuSeconds ?? 0;
}
