import { request } from "undici";
import { newInstance } from "#api/instances/service.ts";
import { runtimeAt, writeStatus } from "#api/testing/api-on-cluster.ts";
import { as, INTERNAL_KEY } from "#api/testing/api-under-test.ts";
import { API_ROLE, createTestDatabase } from "#api/testing/database.fixture.ts";
import { INSTANCES } from "#crds/index.ts";
import { keysReady, parseKeyRing } from "#lib/keys.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { installCrds } from "#test/harness/integration-setup.ts";
import { type PostgresServer, startPostgres } from "#test/harness/postgres.ts";
import { createTestNamespace } from "#test/harness/test-namespace.ts";
import { type CountingGateway, startCountingGateway } from "./counting-gateway.ts";
import { type OpenChat, openChat } from "./stream.ts";

const ROOT_KEY = "a1".repeat(32);
/** Longest that a test waits for what must come. */
const PATIENCE_MS = 120_000;

/** Everything the API depends on, real, and owned by one test that may stop it. */
export interface Rig extends AsyncDisposable {
  readonly plane: ControlPlane;
  readonly postgres: PostgresServer;
  readonly users: readonly string[];
  /** Ends all chats in good order. */
  finishChats(): void;
  /** Environment of a replica. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts a control plane and a Postgres, and gives each of `count` users a ready instance at a gateway of their own. */
export async function startRig(count: number): Promise<Rig> {
  await keysReady();
  await using stack = new AsyncDisposableStack();
  const plane = await startControlPlane();
  stack.defer(() => plane.stop());
  await installCrds(plane);
  const postgres = stack.use(await startPostgres());
  const database = stack.use(await createTestDatabase(postgres.port));
  const { client, namespace, ...rest } = await createTestNamespace(loadKubeAccess(plane.kubeconfig), "outage");
  stack.defer(() => rest[Symbol.asyncDispose]());
  const env = {
    OPENCLAW_ENCRYPTION_KEY: ROOT_KEY,
    OA_INTERNAL_KEY: INTERNAL_KEY,
    TENANT_NAMESPACE: namespace,
    KUBECONFIG: plane.kubeconfig,
    DATABASE_URL: `postgresql://${API_ROLE}@127.0.0.1:${postgres.port}/${database.config.database}`,
    DATABASE_PASSWORD: API_ROLE,
    DATABASE_STATEMENT_TIMEOUT_MS: "2000",
    ACCESS_MODE: "open",
    DRAIN_SECONDS: "5",
    // What a test sends in a minute is more than people do.
    RATE_PER_MINUTE: "1000000",
    RATE_BURST: "1000000",
    LOG_LEVEL: "info",
  };
  const users = Array.from({ length: count }, (_, index) => `user-${index}`);
  const gateways: CountingGateway[] = [];
  for (const user of users) {
    const gateway = stack.use(await startCountingGateway());
    gateways.push(gateway);
    await client.create(INSTANCES, newInstance({ kind: "Human", subject: user }, namespace));
    await writeStatus(client, namespace, user, {
      phase: "Ready",
      runtime: runtimeAt({ keyRing: parseKeyRing(ROOT_KEY) }, gateway.origin),
    });
  }
  const owned = stack.move();
  const finishChats = () => {
    for (const gateway of gateways) gateway.finish();
  };
  return { plane, postgres, users, finishChats, env, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Opens `each` chats of each user at this replica. */
export function openChats(url: string, users: readonly string[], each: number): Promise<OpenChat[]> {
  return Promise.all(users.flatMap((user) => Array.from({ length: each }, () => openChat(url, as(user)))));
}

/** An answer to a short request. */
export interface ShortAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly json: { ok?: boolean; data?: unknown; code?: string };
}

/** A short request as a user. */
export async function ask(url: string, path: string, user: string): Promise<ShortAnswer> {
  const { statusCode, headers, body } = await request(`${url}${path}`, {
    headers: as(user),
    headersTimeout: PATIENCE_MS,
  });
  const json = (await body.json()) as ShortAnswer["json"];
  return { status: statusCode, retryAfter: headers["retry-after"]?.toString(), json };
}

/** Asks until the answer is as wanted; answers how long that took, in milliseconds, and all answers on the way. */
export async function askUntil(
  send: () => Promise<ShortAnswer>,
  wanted: (answer: ShortAnswer) => boolean,
): Promise<{ ms: number; before: ShortAnswer[] }> {
  const started = performance.now();
  const before: ShortAnswer[] = [];
  for (;;) {
    const answer = await send();
    const ms = performance.now() - started;
    if (wanted(answer)) return { ms, before };
    if (ms > PATIENCE_MS) throw new Error(`still ${JSON.stringify(answer)} after ${Math.round(ms)} ms`);
    before.push(answer);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** True when no event of any chat is missing, and each has come further than `than` events. */
export function countOn(chats: readonly OpenChat[], than: number): boolean {
  return chats.every(
    ({ seen, state }) => state === "open" && seen.length > than && seen.every((number, index) => number === index),
  );
}
