import { spawn } from "node:child_process";
import { NAMESPACE, RELEASE, TENANT_NAMESPACE } from "./deploy.ts";
import { loadSession, readClusterKind, type Session } from "./session.ts";

/** What runs in the namespace of the release, by the object that runs it. */
const WORKLOADS: Readonly<Record<string, string>> = {
  operator: "deployment",
  api: "deployment",
  "model-gateway": "deployment",
  postgres: "statefulset",
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The session of the cluster that `CLUSTER` names, or the last one. */
async function requireSession(env: Environment): Promise<Session> {
  const session = await loadSession(readClusterKind(env));
  if (!session) throw new Error("nothing is up; run: make up");
  return session;
}

/**
 * Prints `export` lines for a shell.
 * @throws Error when nothing is up, or not far enough.
 */
export async function showEnvironment(env: Environment): Promise<void> {
  const { api, ...session } = await requireSession(env);
  if (!api)
    throw new Error("make up did not get as far as the API; run it again, or take down what there is: make down");
  const variables = {
    KUBECONFIG: session.kubeconfig,
    KUBECTL: session.kubectl,
    HELM: session.helm,
    HATCHERY_URL: api.url,
    OA_INTERNAL_KEY: api.internalKey,
  };
  for (const [name, value] of Object.entries(variables))
    console.log(`export ${name}='${value.replaceAll("'", `'\\''`)}'`);
}

/** Prints nodes, the control plane's pods, and every instance with its pod. */
export async function showStatus(env: Environment): Promise<void> {
  const session = await requireSession(env);
  console.log(`API: ${session.api?.url ?? "not there yet"} (${session.cluster} cluster)\n`);
  await kubectl(session, "get", "nodes");
  for (const namespace of [NAMESPACE, TENANT_NAMESPACE]) {
    console.log(`\n${namespace}`);
    await kubectl(session, "get", "pods", "--namespace", namespace, "--output", "wide");
  }
  console.log();
  await kubectl(session, "get", "openclawinstances", "--all-namespaces");
}

/** Prints the last lines of the logs of one process, or of one instance's pod, or of all processes and Postgres. */
export async function showLogs(env: Environment, args: string[]): Promise<void> {
  const session = await requireSession(env);
  const names = args.length > 0 ? args : Object.keys(WORKLOADS);
  for (const name of names) {
    const kind = WORKLOADS[name];
    const where = kind
      ? [`${kind}/${RELEASE}-${name}`, "--namespace", NAMESPACE]
      : [`openclaw-${name}`, "--namespace", TENANT_NAMESPACE];
    console.log(`--- ${name}`);
    await kubectl(session, "logs", ...where, "--tail=200");
  }
}

function kubectl(session: Session, ...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(session.kubectl, [...args, "--kubeconfig", session.kubeconfig], { stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve() : reject(new Error(`kubectl ${args.join(" ")} ended with ${code}`)),
    );
  });
}
