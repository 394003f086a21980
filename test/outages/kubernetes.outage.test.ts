import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { as } from "#api/testing/api-under-test.ts";
import { eventually } from "#api/testing/eventually.ts";
import { type Replica, startReplica } from "./replica.ts";
import { ask, askUntil, countOn, openChats, type Rig, startRig } from "./rig.ts";
import { openChat } from "./stream.ts";

const SECONDS = Number(process.env.OUTAGE_SECONDS ?? 20);
const INSTANCE = "/api/openclaw/instance";

const owned = new AsyncDisposableStack();
let rig: Rig;
let api: Replica;
beforeAll(async () => {
  rig = owned.use(await startRig(10));
  api = owned.use(await startReplica(rig.env));
});
afterAll(() => owned.disposeAsync());

it(`a Kubernetes API that is silent for ${SECONDS} s cuts no stream, is told as unavailable, and is used again`, async () => {
  const [user = ""] = rig.users;
  const chats = await openChats(api.url, rig.users, 5);
  const signal = (name: NodeJS.Signals) => {
    for (const part of ["kube-apiserver", "etcd"]) process.kill(rig.plane.pids[part] ?? 0, name);
  };
  signal("SIGSTOP");
  const silentSince = performance.now();
  const unavailable = await askUntil(
    () => ask(api.url, INSTANCE, user),
    ({ status }) => status === 503,
  );
  // Until it is known to be old, the copy is a good answer; nothing else is ever said, least of all that there is none.
  for (const { status, json } of unavailable.before)
    expect([status, json]).toMatchObject([200, { data: { status: "ready" } }]);
  expect(await ask(api.url, INSTANCE, "stranger")).toMatchObject({
    status: 503,
    retryAfter: "5",
    json: { code: "cluster_unavailable" },
  });

  // Who was ready is served, on new connections too.
  const late = await openChat(api.url, as(user));
  await pause(Math.max(0, SECONDS * 1000 - (performance.now() - silentSince)));
  const counted = Math.min(...chats.map(({ seen }) => seen.length));
  expect(await ask(api.url, INSTANCE, user)).toMatchObject({ status: 503, retryAfter: "5" });
  signal("SIGCONT");
  const healed = await askUntil(
    () => ask(api.url, INSTANCE, user),
    ({ status }) => status === 200,
  );
  for (const { status } of healed.before) expect(status).toBe(503);
  await eventually(async () => (await ask(api.url, INSTANCE, "stranger")).json).toMatchObject({ ok: true, data: null });
  await eventually(() => countOn([...chats, late], late.seen.length > counted ? counted : 0)).toBe(true);

  rig.finishChats();
  await Promise.all([...chats, late].map(({ ended }) => ended));
  for (const { state, isDone } of [...chats, late]) expect([state, isDone]).toEqual(["whole", true]);
  console.log(
    `outages | kubernetes | ${SECONDS} s: ${chats.length} streams whole, 503 after ${(unavailable.ms / 1000).toFixed(1)} s, healed in ${(healed.ms / 1000).toFixed(1)} s`,
  );
});
