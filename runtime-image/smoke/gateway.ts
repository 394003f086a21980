import { spawn, spawnSync } from "node:child_process";

/** Longest wait for a gateway that neither becomes ready nor ends, in milliseconds: a build must not hang. */
const START_LIMIT_MS = 300_000;

/** A gateway process, started as the container starts it. */
export interface Gateway {
  readonly url: string;
  /** Everything it printed so far. */
  output(): string;
  /** Asks it to end and answers its exit code. */
  stop(): Promise<number | null>;
}

/** How a gateway that was started ended by itself. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Starts the image's own start script and waits for `/readyz`, or for the end of the process. */
export async function startGateway(port: number, env: NodeJS.ProcessEnv): Promise<Gateway | Ended> {
  const child = spawn("/opt/hatchery/start.sh", { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  let ended: number | null | undefined;
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      ended = code;
      resolve(code);
    });
  });
  const url = `http://127.0.0.1:${port}`;
  const deadline = Date.now() + START_LIMIT_MS;
  while (ended === undefined && !(await isReady(url))) {
    if (Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`the gateway is not ready after ${START_LIMIT_MS / 1000} s:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  if (ended !== undefined) return { code: ended, output };
  return {
    url,
    output: () => output,
    stop: () => {
      child.kill("SIGTERM");
      return exit;
    },
  };
}

/** Runs one `openclaw` command to its end. */
export function runOpenClaw(args: readonly string[], env: NodeJS.ProcessEnv): Ended {
  const result = spawnSync("openclaw", args, { env, encoding: "utf8" });
  if (result.error) throw result.error;
  return { code: result.status, output: result.stdout + result.stderr };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`);
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
