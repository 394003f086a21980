import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Api } from "./tenant.ts";

/** What a running system is reached by; kept on disk between commands, readable by its owner only. */
export interface Session extends Api {
  readonly cluster: "local" | "current";
  readonly kubeconfig: string;
  readonly kubectl: string;
  readonly helm: string;
  /** A process that forwards the API's port, where one had to be started for it. */
  readonly forwarderPid?: number;
}

const FILE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "hatchery", "session.json");

/** Keeps the session for the commands to come. */
export async function saveSession(session: Session): Promise<void> {
  await mkdir(join(FILE, ".."), { recursive: true });
  await writeFile(FILE, JSON.stringify(session, null, 2), { mode: 0o600 });
}

/** The session of the last `make up`, if one is kept. */
export async function loadSession(): Promise<Session | undefined> {
  try {
    return JSON.parse(await readFile(FILE, "utf8")) as Session;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${FILE} can't be read; remove it and run make up again`, { cause: error });
  }
}

/** Forgets the session. */
export async function dropSession(): Promise<void> {
  await rm(FILE, { force: true });
}
