import { availableParallelism } from "node:os";
import { run } from "#test/cluster/shell.ts";

/** The core that a proxy under test has to itself. */
export const PROXY_CORE = 0;

/** The command, kept on the proxy's core. */
export function onProxyCore(argv: readonly string[]): string[] {
  return ["taskset", "--cpu-list", String(PROXY_CORE), ...argv];
}

/** Keeps this process, and all it starts from now on, off the proxy's core. @throws Error where there is no other. */
export async function leaveProxyCore(): Promise<void> {
  const cores = availableParallelism();
  if (cores < 2) throw new Error("a proxy is measured on a core of its own: this needs two");
  await run(["taskset", "--all-tasks", "--cpu-list", "--pid", `1-${cores - 1}`, String(process.pid)]);
}

/** Lets these processes run only when nobody else wants to. */
export async function yieldToAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) await run(["chrt", "--all-tasks", "--idle", "--pid", "0", String(pid)]);
}
