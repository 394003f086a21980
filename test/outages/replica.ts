import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../api/main.ts", import.meta.url));

/** One replica of the API, as a process of its own. */
export interface Replica extends AsyncDisposable {
  readonly url: string;
  readonly opsUrl: string;
  /** Resolves with exit code and signal when the process is over. */
  readonly exited: Promise<[code: number | null, signal: string | null]>;
  kill(signal: "SIGKILL" | "SIGTERM"): void;
}

/** Starts one with this environment; answers once it serves and is ready. */
export async function startReplica(env: Readonly<Record<string, string>>): Promise<Replica> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...env, PORT: "0", OPS_PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit") as Replica["exited"];
  const { port, opsPort } = await Promise.race([readPorts(child), exited.then(() => undefined)]).then((ports) => {
    if (!ports) throw new Error("the API ended before it served");
    return ports;
  });
  const replica: Replica = {
    url: `http://127.0.0.1:${port}`,
    opsUrl: `http://127.0.0.1:${opsPort}`,
    exited,
    kill: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
  await untilReady(replica);
  return replica;
}

/** The log goes on being read, so that the process never waits for a reader. */
function readPorts(child: ChildProcess): Promise<{ port: number; opsPort: number }> {
  const { promise, resolve } = Promise.withResolvers<{ port: number; opsPort: number }>();
  if (!child.stdout) throw new Error("no standard output");
  createInterface(child.stdout).on("line", (line) => {
    const entry = JSON.parse(line) as { msg: string; port: number; opsPort: number };
    if (entry.msg === "serving") resolve(entry);
  });
  return promise;
}

async function untilReady({ opsUrl }: Replica): Promise<void> {
  for (;;) {
    const response = await fetch(`${opsUrl}/readyz`);
    await response.arrayBuffer();
    if (response.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
