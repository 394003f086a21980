import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { as } from "#api/testing/api-under-test.ts";
import { eventually } from "#api/testing/eventually.ts";
import { type Replica, startReplica } from "./replica.ts";
import { ask, askUntil, countOn, openChats, type Rig, startRig } from "./rig.ts";
import { openChat } from "./stream.ts";

const SECONDS = Number(process.env.OUTAGE_SECONDS ?? 5);
const INSTANCE = "/api/openclaw/instance";
/** For so long a chat of somebody who was let in goes on without Postgres. */
const REMEMBERED_SECONDS = 60;

const owned = new AsyncDisposableStack();
let rig: Rig;
let api: Replica;
beforeAll(async () => {
  rig = owned.use(await startRig(10));
  api = owned.use(await startReplica(rig.env));
});
afterAll(() => owned.disposeAsync());

it(`a Postgres that is killed for ${SECONDS} s cuts no stream, leaves chats to whom it knew, and is used again`, async () => {
  const [known = "", ...others] = rig.users;
  const chats = await openChats(api.url, rig.users, 5);
  await rig.postgres.kill();
  const down = await ask(api.url, INSTANCE, known);
  expect(down).toMatchObject({ status: 503, retryAfter: "5", json: { code: "store_unavailable" } });
  const late = await openChat(api.url, as(known));
  await expect(openChat(api.url, as("stranger"))).rejects.toThrow("503");
  await pause(SECONDS * 1000);
  if (SECONDS > REMEMBERED_SECONDS) await expect(openChat(api.url, as(known))).rejects.toThrow("503");
  const counted = Math.min(...chats.map(({ seen }) => seen.length));
  await rig.postgres.restart();
  const healed = await askUntil(
    () => ask(api.url, INSTANCE, known),
    ({ status }) => status === 200,
  );
  for (const { status } of healed.before) expect(status).toBe(503);
  for (const user of others) expect((await ask(api.url, INSTANCE, user)).status).toBe(200);
  await eventually(() => countOn(chats, counted)).toBe(true);

  rig.finishChats();
  await Promise.all([...chats, late].map(({ ended }) => ended));
  for (const { state, isDone } of [...chats, late]) expect([state, isDone]).toEqual(["whole", true]);
  console.log(
    `outages | postgres | ${SECONDS} s: ${chats.length} streams whole, healed in ${(healed.ms / 1000).toFixed(1)} s`,
  );
});
