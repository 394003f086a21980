import { AGENT_KEY_HEADER, API_TOKEN_HEADER } from "#api/auth/credential-headers.ts";
import type { Drift } from "#api/http/drift.ts";
import { ADMIN, type ApiOnCluster, startApiOnCluster } from "#api/testing/api-on-cluster.ts";
import { as } from "#api/testing/api-under-test.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { startControlPlane } from "#test/cluster/control-plane.ts";
import { installCrds } from "#test/harness/integration-setup.ts";
import { startPostgres } from "#test/harness/postgres.ts";
import { createTestNamespace } from "#test/harness/test-namespace.ts";
import { startAgreeableOpenClaw } from "./openclaw.ts";
import { startQuickOperator } from "./quick-operator.ts";

/** Headers of everybody who may call. */
export interface Credentials {
  readonly admin: Headers;
  /** Somebody whom an admin let in ... */
  readonly user: Headers;
  /** ... and a token of theirs that is good for reading alone. */
  readonly reader: Headers;
  /** Their agent: what it does that matters waits for a human. */
  readonly agent: Headers;
  /** Whom nobody let in. */
  readonly stranger: Headers;
}

type Headers = Readonly<Record<string, string>>;

/** The API on a real control plane and a real Postgres, with instances that are ready as soon as they are made. */
export interface Site extends AsyncDisposable {
  readonly api: ApiOnCluster;
  readonly credentials: Credentials;
  /** Answers that were not as their routes declare, so far. */
  readonly drifts: readonly Drift[];
}

/** Starts it. */
export async function startSite(): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const plane = await startControlPlane({ install: (kubectl) => installCrds(kubectl) });
  stack.defer(() => plane.stop());
  const postgres = stack.use(await startPostgres());
  const access = loadKubeAccess(plane.kubeconfig);
  const { client, namespace } = stack.use(await createTestNamespace(access, "contract"));
  const openclaw = stack.use(await startAgreeableOpenClaw());
  const drifts: Drift[] = [];
  const api = stack.use(
    await startApiOnCluster({
      access,
      namespace,
      postgresPort: postgres.port,
      config: { accessMode: "approved" },
      onDrift: (drift) => void drifts.push(drift),
    }),
  );
  stack.defer(startQuickOperator(client, api, openclaw.origin));
  const credentials = await makeCredentials(api);
  const running = stack.move();
  return { api, credentials, drifts, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function makeCredentials({ url }: ApiOnCluster): Promise<Credentials> {
  const admin = as(ADMIN);
  const user = as("mia");
  await send(url, user, "GET", "/api/access");
  await send(url, admin, "PUT", "/api/admin/users/human:mia/access", { enabled: true });
  const { token } = await send(url, user, "POST", "/api/tokens", { name: "reader", scopes: ["openclaw:read"] });
  const { id } = await send(url, user, "POST", "/api/agents", { name: "helper" });
  const { key } = await send(url, user, "POST", `/api/agents/${String(id)}/keys`);
  return {
    admin,
    user,
    reader: { [API_TOKEN_HEADER]: String(token) },
    agent: { [AGENT_KEY_HEADER]: String(key) },
    stranger: as("sam"),
  };
}

async function send(url: string, headers: Headers, method: string, path: string, body?: object) {
  const answer = await fetch(url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (JSON.parse(text) as { data: Record<string, unknown> }).data;
}
