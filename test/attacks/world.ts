import { sql } from "kysely";
import * as z from "zod";
import { oidcConfig, oidcEnv } from "#api/auth/oidc-env.ts";
import { newInstance } from "#api/instances/service.ts";
import { type ApiOnCluster, runtimeAt, startApiOnCluster } from "#api/testing/api-on-cluster.ts";
import { as } from "#api/testing/api-under-test.ts";
import { call } from "#api/testing/client.ts";
import { newSigningKey, type SigningKey, signToken, startIssuer } from "#api/testing/issuer.fixture.ts";
import { INSTANCES, type Tenant, tenantKey } from "#crds/index.ts";
import { parseEnv } from "#lib/env.ts";
import { gatewayToken } from "#lib/keys.ts";
import type { KubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { startTenantGateway, type TenantGateway } from "./gateway.ts";

const AUDIENCE = "https://hatchery.example.org";

/** What the victim has and nobody else may see. */
export const SECRET = "the-victims-own-words";
export const victim: Tenant = { kind: "Human", subject: "victim" };
export const attacker: Tenant = { kind: "Human", subject: "mallory" };

/** Two people who have everything that a tenant can have, on a real apiserver and a real Postgres. */
export interface World extends AsyncDisposable {
  readonly api: ApiOnCluster;
  readonly cluster: TestNamespace;
  readonly victimGateway: TenantGateway;
  /** The attacker's own gateways. */
  readonly ownGateways: readonly TenantGateway[];
  /** Gives the attacker what they had: an OpenClaw that is ready, also after they deleted it. */
  restore(): Promise<void>;
  /** The attacker's credentials, by kind: what is sent of each. */
  readonly credentials: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Ids of what is the victim's, by the name of the path's parameter. */
  readonly victimIds: Readonly<Record<string, readonly string[]>>;
  /** Everything on record that names the victim, as text. */
  victimState(): Promise<string>;
}

/** Builds it. */
export async function buildWorld(access: KubeAccess, postgresPort: number): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await createTestNamespace(access, "attack"));
  const key = await newSigningKey("first");
  const issuer = stack.use(await startIssuer(key));
  const OIDC_ISSUERS = JSON.stringify([{ issuer: issuer.url, audience: AUDIENCE }]);
  const config = { oidc: oidcConfig(parseEnv(z.object(oidcEnv), { OIDC_ISSUERS })) };
  const api = stack.use(await startApiOnCluster({ access, namespace: cluster.namespace, postgresPort, config }));
  const post = async (path: string, body: object, user = "victim") => {
    const { status, json } = await call(api.url, { path, body, headers: as(user), user: null });
    if (status !== 200) throw new Error(`${path}: ${JSON.stringify(json)}`);
    return (json as { data: Record<string, string> }).data;
  };
  const victimGateway = stack.use(await startGateway(api, victim, SECRET));
  const ownGateway = stack.use(await startGateway(api, attacker, "mallory's"));
  for (const gateway of [victimGateway, ownGateway]) await give(cluster, api, gateway);

  const token = await post("/api/tokens", { name: SECRET });
  const agent = await post("/api/agents", { name: SECRET });
  const agentKey = await post(`/api/agents/${agent.id}/keys`, { description: SECRET });
  const thread = await post("/api/threads", { title: SECRET });
  await post(`/api/threads/${thread.id}/messages`, {
    messages: [{ message_id: "m-1", role: "user", parts: [{ type: "text", text: SECRET }] }],
  });
  const restart = { path: "/api/openclaw/runtime/restart", method: "POST", user: null };
  const asked = await call(api.url, { ...restart, headers: { "x-oa-agent-key": agentKey.key ?? "" } });
  const { approvalId = "" } = (asked.json as { data: Record<string, string> }).data;

  const ownAgent = await post("/api/agents", { name: "mine" }, "mallory");
  const agentGateway = stack.use(await startGateway(api, { kind: "Agent", subject: ownAgent.id ?? "" }, "mallory's"));
  await give(cluster, api, agentGateway);
  const scopes = ["openclaw:read", "openclaw:write", "openclaw:chat"];
  const ownKey = await post(`/api/agents/${ownAgent.id}/keys`, { scopes }, "mallory");
  const ownToken = await post("/api/tokens", { name: "mine" }, "mallory");
  const victimIds = {
    id: [token.id, agent.id, thread.id, "human:victim", "victim"].map(String),
    keyId: [String(agentKey.id)],
    key: ["main", "of-the-victim"],
    requestId: ["r-1"],
    deviceId: ["d-1"],
    channel: ["telegram"],
    email: ["victim@example.org"],
    approvalId: [approvalId],
  };
  const owned = stack.move();
  return {
    api,
    cluster,
    victimGateway,
    ownGateways: [ownGateway, agentGateway],
    async restore() {
      for (const gateway of [ownGateway, agentGateway]) await give(cluster, api, gateway);
    },
    credentials: new Map(
      Object.entries({
        "internal key": as("mallory"),
        "OIDC token": { authorization: `Bearer ${await signIn(key, issuer.url)}` },
        "API token as x-api-key": { "x-api-key": String(ownToken.token) },
        "API token as bearer": { authorization: `Bearer ${ownToken.token}` },
        "agent key": { "x-oa-agent-key": String(ownKey.key) },
        "agent key as authorization": { authorization: `Agent ${ownKey.key}` },
      }),
    ),
    victimIds,
    victimState: () => readState(api, cluster, [agent.id, agentKey.id, token.id, thread.id].map(String)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function signIn(key: SigningKey, iss: string): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return signToken(key, { iss, aud: AUDIENCE, sub: attacker.subject, iat: now, exp: now + 3600 });
}

/** A tenant's gateway, and what the tenant's instance is to say of it. */
interface OwnedGateway extends TenantGateway {
  readonly tenant: Tenant;
  readonly runtime: ReturnType<typeof runtimeAt>;
}

async function startGateway(api: ApiOnCluster, tenant: Tenant, content: string): Promise<OwnedGateway> {
  let token = "";
  const gateway = await startTenantGateway(() => token, content);
  const runtime = runtimeAt(api.config, gateway.origin);
  token = gatewayToken(api.config.keyRing[0], runtime.slot ?? "");
  return Object.assign(gateway, { tenant, runtime });
}

/** Gives a tenant an instance that is ready, at their gateway. */
async function give(cluster: TestNamespace, api: ApiOnCluster, { tenant, runtime }: OwnedGateway): Promise<void> {
  const instance = newInstance(tenant, cluster.namespace);
  const ref = { namespace: cluster.namespace, name: instance.metadata.name };
  const { metadata } = (await cluster.client.get(INSTANCES, ref)) ?? (await cluster.client.create(INSTANCES, instance));
  const heard = Promise.withResolvers<void>();
  const marker = `${runtime.name}-${++given}`;
  api.informer.onChange(({ object }) => {
    if (object.metadata.uid === metadata.uid && object.status?.runtime?.name === marker) heard.resolve();
  });
  const spec = { runPolicy: "OnDemand" };
  const { metadata: now } = await cluster.client.mergePatch(INSTANCES, ref, { spec });
  const status = { observedGeneration: now.generation, phase: "Ready", runtime: { ...runtime, name: marker } };
  await cluster.client.mergePatch(INSTANCES, ref, { status }, { subresource: "status" });
  await heard.promise;
}

let given = 0;

async function readState(api: ApiOnCluster, cluster: TestNamespace, ids: readonly string[]): Promise<string> {
  const { rows: tables } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = current_schema() and tablename not like '%head%'`.execute(
    api.database.owner,
  );
  const words = [tenantKey(victim), SECRET, ...ids];
  const found: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql<{
      text: string;
    }>`select (to_jsonb(t) - 'last_used_at')::text as text from ${sql.table(name)} t`.execute(api.database.owner);
    found.push(
      ...rows.map(({ text }) => `${name} ${text}`).filter((text) => words.some((word) => text.includes(word))),
    );
  }
  const instances = await cluster.client.list(INSTANCES, { namespace: cluster.namespace });
  const own = instances.items.filter(({ spec }) => spec.owner.subject === victim.subject);
  return [...found.sort(), ...own.map(({ metadata, spec }) => JSON.stringify([metadata.resourceVersion, spec]))].join(
    "\n",
  );
}
