import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { INTERNAL_KEY } from "./api-under-test.ts";
import { API_ROLE } from "./database.fixture.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));

/** The API as a process of its own, as it runs in a pod. */
export interface ApiProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly url: string;
  /** Of probes and metrics. */
  readonly ops: string;
  /** The lines it logged so far. */
  readonly log: string[];
  /** Ends it as a crash does; resolves once it is gone. */
  kill(): Promise<void>;
}

/** An environment that it starts with: everybody with a credential is let in. */
export function apiEnvironment(o: {
  kubeconfig: string;
  namespace: string;
  postgresPort: number;
  database: string;
}): Record<string, string> {
  return {
    OPENCLAW_ENCRYPTION_KEY: "a1".repeat(32),
    OA_INTERNAL_KEY: INTERNAL_KEY,
    TENANT_NAMESPACE: o.namespace,
    DATABASE_URL: `postgresql://${API_ROLE}@127.0.0.1:${o.postgresPort}/${o.database}`,
    DATABASE_PASSWORD: API_ROLE,
    ACCESS_MODE: "open",
    PORT: "0",
    OPS_PORT: "0",
    KUBECONFIG: o.kubeconfig,
  };
}

/** Starts the process, whatever becomes of it; it must be killed in the end. */
export function spawnApi(env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Starts the process and resolves once it serves; rejects with what it said when it ends instead. */
export async function startApiProcess(env: Readonly<Record<string, string>>): Promise<ApiProcess> {
  const child = spawnApi(env);
  if (!child.stdout || !child.stderr) throw new Error("the process has no pipes");
  const log: string[] = [];
  const said: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const serving = Promise.withResolvers<{ port: number; opsPort: number }>();
  createInterface(child.stdout).on("line", (line) => {
    log.push(line);
    const entry = JSON.parse(line) as { msg: string; port: number; opsPort: number };
    if (entry.msg === "serving") serving.resolve(entry);
  });
  child.once("exit", (code) => serving.reject(new Error(`ended with ${code}: ${said.join("")}${log.join("\n")}`)));
  const kill = () => killProcess(child);
  const { port, opsPort } = await serving.promise;
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    ops: `http://127.0.0.1:${opsPort}`,
    log,
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

/** Ends a process at once, if it has not ended by itself, and waits until it is gone. */
export async function killProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
