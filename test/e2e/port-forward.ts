import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { System } from "./system.ts";

/** A way to a pod that no network policy sees: it comes out on the pod's own loopback. */
export interface PortForward extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
}

/** Runs `kubectl port-forward` to a pod of the tenants' namespace. @throws Error with kubectl's own words when it does not come up. */
export async function forwardToPod(system: System, pod: string, port: number): Promise<PortForward> {
  const where = ["--kubeconfig", system.kubeconfig, "--namespace", system.tenantNamespace];
  const args = ["port-forward", ...where, "--address=127.0.0.1", `pod/${pod}`, `:${port}`];
  const child = spawn(system.machine.kubectlPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  let words = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    words += text;
  });
  for await (const line of createInterface(child.stdout)) {
    const local = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (local === undefined) continue;
    child.stdout.resume();
    return {
      url: `http://127.0.0.1:${local}`,
      async [Symbol.asyncDispose]() {
        child.kill();
        await ended;
      },
    };
  }
  throw new Error(`kubectl port-forward did not come up: ${words}`);
}
