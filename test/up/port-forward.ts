import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Target } from "./deploy.ts";

/** A port of this machine that leads to a service of the cluster. */
export interface Door {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The process that forwards, if one had to be started; it outlives this one. */
  readonly forwarderPid?: number;
}

const POLL_MS = 50;
const PATIENCE_MS = 20_000;

/**
 * Starts a `kubectl port-forward` that outlives this process and writes to the file `log`.
 * @throws Error with kubectl's own words when it does not come up.
 */
export async function forwardPort(
  target: Target,
  namespace: string,
  service: string,
  port: number,
  log: string,
): Promise<Door> {
  const output = openSync(log, "w"); // a file, not a pipe: the child goes on writing when we are gone
  const args = ["port-forward", "--address=127.0.0.1", "--namespace", namespace, `service/${service}`, `:${port}`];
  const child = spawn(target.kubectl, [...args, "--kubeconfig", target.kubeconfig], {
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  child.unref();
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code) => resolve(`it ended with ${code}`));
  });
  for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
    const localPort = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(await readFile(log, "utf8"))?.[1];
    if (localPort && child.pid !== undefined) return { url: `http://127.0.0.1:${localPort}`, forwarderPid: child.pid };
    const end = await Promise.race([ended, delay(POLL_MS)]);
    if (end) throw new Error(`kubectl port-forward failed: ${end}: ${await readFile(log, "utf8")}`);
  }
  child.kill();
  throw new Error(`kubectl port-forward did not come up: ${await readFile(log, "utf8")}`);
}

/** Ends a forwarder of an earlier run; a pid that is somebody else's by now is left alone. */
export async function stopForwarder(pid: number | undefined): Promise<void> {
  if (pid === undefined) return;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  if (commandLine.includes("port-forward")) process.kill(pid, "SIGTERM");
}
