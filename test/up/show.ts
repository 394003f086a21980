import { spawn } from "node:child_process";
import { NAMESPACE, RELEASE, TENANT_NAMESPACE } from "./deploy.ts";
import { loadSession, type Session } from "./session.ts";

const PROCESSES = ["operator", "api", "model-gateway"];

async function requireSession(): Promise<Session> {
  const session = await loadSession();
  if (!session) throw new Error("nothing is up; run: make up");
  return session;
}

/** Prints `export` lines for a shell. */
export async function showEnvironment(): Promise<void> {
  const session = await requireSession();
  const variables = {
    KUBECONFIG: session.kubeconfig,
    KUBECTL: session.kubectl,
    HELM: session.helm,
    HATCHERY_URL: session.url,
    OA_INTERNAL_KEY: session.internalKey,
  };
  for (const [name, value] of Object.entries(variables))
    console.log(`export ${name}='${value.replaceAll("'", `'\\''`)}'`);
}

/** Prints nodes, the control plane's pods, and every instance with its pod. */
export async function showStatus(): Promise<void> {
  const session = await requireSession();
  console.log(`API: ${session.url} (${session.cluster} cluster)\n`);
  await kubectl(session, "get", "nodes");
  for (const namespace of [NAMESPACE, TENANT_NAMESPACE]) {
    console.log(`\n${namespace}`);
    await kubectl(session, "get", "pods", "--namespace", namespace, "--output", "wide");
  }
  console.log();
  await kubectl(session, "get", "openclawinstances", "--all-namespaces");
}

/** Prints the last lines of the logs of one process, or of one instance's pod, or of all three processes. */
export async function showLogs(args: string[]): Promise<void> {
  const session = await requireSession();
  const names = args.length > 0 ? args : PROCESSES;
  for (const name of names) {
    const where = PROCESSES.includes(name)
      ? [`deployment/${RELEASE}-${name}`, "--namespace", NAMESPACE]
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
