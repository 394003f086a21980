import { spawn } from "node:child_process";
import { once } from "node:events";
import { run } from "#test/cluster/shell.ts";

/** Says that this process was started by `enterOwnNetwork`. */
const INSIDE = "HATCHERY_BENCH_NETWORK";

/**
 * Makes this process run with a loopback interface of its own, on which every address of 127.0.0.0/8 and every port is
 * free: one server then answers for thousands of pods, and nothing else on the machine is in the way. Resolves inside; outside
 * it starts the same command there, passes its exit code on and ends this process. Needs root.
 */
export async function enterOwnNetwork(): Promise<void> {
  if (process.env[INSIDE]) {
    await run(["ip", "link", "set", "lo", "up"]);
    return;
  }
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn("unshare", ["--net", "--", "setpriv", "--pdeathsig", "TERM", "--", ...command], {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: "1" },
  });
  const [code] = (await once(child, "exit")) as [number | null];
  process.exit(code ?? 1);
}
