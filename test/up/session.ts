import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { stateRoot } from "#test/cluster/paths.ts";

/** A cluster of our own on this machine, or that of the kubeconfig's current context. */
export const CLUSTER_KINDS = ["local", "current"] as const;
export type ClusterKind = (typeof CLUSTER_KINDS)[number];

const sessionSchema = z.object({
  cluster: z.enum(CLUSTER_KINDS),
  kubeconfig: z.string(),
  kubectl: z.string(),
  helm: z.string(),
  /** A process that forwards the API's port, where one had to be started for it. */
  forwarderPid: z.int().optional(),
  /** Where the API is and the key to it, as soon as it is installed. */
  api: z.object({ url: z.string(), internalKey: z.string() }).optional(),
});

/** What `make up` did to one cluster, from the moment it is going to: commands to come reach it by this, and undo it. */
export type Session = z.infer<typeof sessionSchema>;

const sessionsSchema = z.object({
  /** The kind that was brought up last. */
  last: z.enum(CLUSTER_KINDS).optional(),
  sessions: z.partialRecord(z.enum(CLUSTER_KINDS), sessionSchema),
});
type Sessions = z.infer<typeof sessionsSchema>;

/** Folder of what outlives a command: the sessions, and what they refer to. Only its owner gets in: it holds keys. */
export async function sessionDir(): Promise<string> {
  const dir = join(stateRoot(), ".sessions");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return dir;
}

const file = async () => join(await sessionDir(), "sessions.json");

/**
 * The kind of cluster that `CLUSTER` names; undefined when it names none.
 * @throws Error when it names something else.
 */
export function readClusterKind(env: Readonly<Record<string, string | undefined>>): ClusterKind | undefined {
  if (!env.CLUSTER) return undefined;
  const kind = CLUSTER_KINDS.find((candidate) => candidate === env.CLUSTER);
  if (kind) return kind;
  throw new Error(`CLUSTER is "${env.CLUSTER}"; leave it unset for a local cluster, or set it to "current"`);
}

/** Keeps the session of its kind of cluster, in place of the one before, and makes it the last one. */
export async function saveSession(session: Session): Promise<void> {
  const { sessions } = await load();
  await save({ last: session.cluster, sessions: { ...sessions, [session.cluster]: session } });
}

/** The session of a kind of cluster, by default of the one that was brought up last; undefined when none is kept. */
export async function loadSession(kind?: ClusterKind): Promise<Session | undefined> {
  const { last, sessions } = await load();
  const wanted = kind ?? last;
  return wanted && sessions[wanted];
}

/** Forgets the session of a kind of cluster; another one that is left becomes the last one. */
export async function dropSession(kind: ClusterKind): Promise<void> {
  const { sessions } = await load();
  const kept = Object.values(sessions).filter(({ cluster }) => cluster !== kind);
  await save({ last: kept[0]?.cluster, sessions: Object.fromEntries(kept.map((one) => [one.cluster, one])) });
}

async function load(): Promise<Sessions> {
  const path = await file();
  try {
    return sessionsSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { sessions: {} };
    throw new Error(`${path} can't be read; remove it and run make up again`, { cause: error });
  }
}

async function save(all: Sessions): Promise<void> {
  const path = await file();
  if (all.last === undefined) await rm(path, { force: true });
  else await writeFile(path, JSON.stringify(all, null, 2), { mode: 0o600 });
}
