import { step } from "#test/cluster/progress.ts";
import { deployHatchery, type ImageRefs, type ModelProvider, NAMESPACE } from "./deploy.ts";
import { dropSession, loadSession, type Session, saveSession } from "./session.ts";
import { chooseTarget, stopTarget } from "./target.ts";
import { createInstance, streamChat } from "./tenant.ts";

/** The person whose OpenClaw `make up` creates. */
const FIRST_USER = "alice";

/** Builds everything, brings the cluster up, installs the chart and chats with a first OpenClaw; a second run redoes only what changed. */
export async function up(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const provider = readProvider(env);
  const target = await chooseTarget(env);
  const images: ImageRefs = await target.provideImages();
  const deployment = await step("install the model provider and the chart", () =>
    deployHatchery(target, images, provider),
  );
  const previous = await loadSession();
  const door = await target.openService(NAMESPACE, "hatchery-api", 8080, previous?.forwarderPid);
  const session: Session = {
    cluster: target.kind,
    kubeconfig: target.kubeconfig,
    kubectl: target.kubectl,
    helm: target.helm,
    url: door.url,
    internalKey: deployment.internalKey,
    ...(door.forwarderPid !== undefined && { forwarderPid: door.forwarderPid }),
  };
  await saveSession(session);
  const runtime = await step(`create ${FIRST_USER}'s OpenClaw and wait until it answers`, () =>
    createInstance(session, FIRST_USER),
  );
  await chat(session, runtime, provider?.model);
  console.log(howToGoOn(deployment.tenantNamespace));
}

async function chat(session: Session, runtime: string, model: string | undefined): Promise<void> {
  const message = "Hello! Who are you?";
  console.log(`\n${FIRST_USER} -> ${runtime}: ${message}`);
  process.stdout.write(`${runtime} (${model ?? "simulated model"}): `);
  for await (const piece of streamChat(session, FIRST_USER, message, "first-chat")) process.stdout.write(piece);
  console.log("\n");
}

/**
 * The real model provider named by the environment, or undefined for the simulated one.
 * @throws Error naming the missing ones when only some of the three variables are set.
 */
export function readProvider(env: Readonly<Record<string, string | undefined>>): ModelProvider | undefined {
  const { MODEL_BASE_URL: baseUrl, MODEL_API_KEY: apiKey, MODEL_NAME: model } = env;
  if (baseUrl && apiKey && model) return { baseUrl, apiKey, model };
  const names = Object.entries({ MODEL_BASE_URL: baseUrl, MODEL_API_KEY: apiKey, MODEL_NAME: model });
  const missing = names.filter(([, value]) => !value).map(([name]) => name);
  if (missing.length < names.length)
    throw new Error(`${missing.join(" and ")} must be set too to use a real model provider`);
  return undefined;
}

function howToGoOn(tenants: string): string {
  return `Hatchery is up. To go on:
  eval "$(make -s env)"                                   # KUBECONFIG, KUBECTL, HELM, HATCHERY_URL, OA_INTERNAL_KEY
  $KUBECTL get claws -n ${tenants}                  # every OpenClaw, its owner, phase and reason
  curl -s -X POST "$HATCHERY_URL/api/openclaw/instance?wait=60" -H "x-oa-internal-key: $OA_INTERNAL_KEY" -H "x-oa-user-id: bob"
  curl -sN "$HATCHERY_URL/api/openclaw/chat" -H "x-oa-internal-key: $OA_INTERNAL_KEY" -H "x-oa-user-id: bob" \\
       -H 'content-type: application/json' -d '{"stream":true,"input":"SLOW:20:200"}'
  make status | make logs | make down`;
}

/** Stops what `make up` started; on a cluster that is not ours it removes the release and leaves the rest. */
export async function down(): Promise<void> {
  await stopTarget(await loadSession());
  await dropSession();
}
