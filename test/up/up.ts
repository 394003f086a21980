import { step } from "#test/cluster/progress.ts";
import { deployHatchery, NAMESPACE } from "./deploy.ts";
import { type ImageSources, OWN_IMAGES } from "./local-target.ts";
import { readProvider } from "./provider.ts";
import { CLUSTER_KINDS, dropSession, loadSession, readClusterKind, saveSession } from "./session.ts";
import { chooseTarget, stopTarget } from "./target.ts";
import { type Api, createInstance, streamChat } from "./tenant.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The person whose OpenClaw `make up` creates. */
const FIRST_USER = "alice";

/** Builds everything, brings the cluster up, installs the chart and chats with a first OpenClaw; a second run redoes only what changed. */
export async function up(env: Environment, sources: ImageSources = OWN_IMAGES): Promise<void> {
  const wanted = readProvider(env);
  const target = await chooseTarget(env, sources);
  const { kind, kubeconfig, kubectl, helm } = target;
  // Before anything is installed: what fails half-way is there to be taken down, too.
  const session = { ...(await loadSession(kind)), cluster: kind, kubeconfig, kubectl, helm };
  await saveSession(session);
  const provider = await target.provideModels(wanted);
  const images = await target.provideImages();
  const deployment = await step("install the model provider and the chart", () =>
    deployHatchery(target, images, provider),
  );
  const { url, forwarderPid } = await target.openService(NAMESPACE, "hatchery-api", 8080);
  const api = { url, internalKey: deployment.internalKey };
  await saveSession({ ...session, forwarderPid, api });
  const runtime = await step(`create ${FIRST_USER}'s OpenClaw and wait until it answers`, () =>
    createInstance(api, FIRST_USER),
  );
  await chat(api, runtime, provider?.model);
  console.log(howToGoOn(deployment.tenantNamespace));
}

async function chat(api: Api, runtime: string, model: string | undefined): Promise<void> {
  const message = "Hello! Who are you?";
  console.log(`\n${FIRST_USER} -> ${runtime}: ${message}`);
  process.stdout.write(`${runtime} (${model ?? "simulated model"}): `);
  for await (const piece of streamChat(api, FIRST_USER, message, "first-chat")) process.stdout.write(piece);
  console.log("\n");
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

/**
 * Stops what `make up` started, on every kind of cluster or on the one that `CLUSTER` names; on a cluster that is not ours it
 * removes the release and leaves what is the users'.
 */
export async function down(env: Environment): Promise<void> {
  const kind = readClusterKind(env);
  const all = await Promise.all(CLUSTER_KINDS.map((one) => loadSession(one)));
  const known = all.flatMap((session) => (session ? [session.cluster] : []));
  const kinds = kind ? [kind] : known;
  for (const one of kinds.length > 0 ? kinds : (["local"] as const)) {
    await stopTarget(one, await loadSession(one));
    await dropSession(one);
  }
}
