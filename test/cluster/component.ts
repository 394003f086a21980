import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";

/** How much of a log an error repeats, in bytes. */
const LOG_TAIL = 2_000;

/** A long-running process that ends with this one. */
export interface Component {
  pid: number;
  /** Aborts when the process ends by itself; the reason names it and repeats the end of its log. */
  ended: AbortSignal;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
}

/** Starts a child whose output goes to `log` and which the kernel kills when this process ends, however it ends. */
export function startComponent(argv: readonly string[], log: string): Component {
  const out = openSync(log, "a", 0o600);
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...argv], { stdio: ["ignore", out, out] });
  closeSync(out);
  const ended = new AbortController();
  const exit = once(child, "exit").then(
    ([code, signal]) =>
      ended.abort(new Error(`${argv.slice(0, 2).join(" ")} ended (${code ?? signal}):\n${tail(log)}`)),
    (error: unknown) => ended.abort(error),
  );
  return {
    pid: child.pid ?? 0,
    ended: ended.signal,
    async kill() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}

/** The last lines of a log file; empty where there is none. */
export function tail(log: string): string {
  try {
    return readFileSync(log, "utf8").slice(-LOG_TAIL).trim();
  } catch {
    return "";
  }
}
