import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "#api/testing/eventually.ts";
import { type Replica, startReplica } from "./replica.ts";
import { ask, openChats, type Rig, startRig } from "./rig.ts";

/** Tries of one request, each at the other replica, and the pause between two, as clients do it. */
const TRIES = 5;
const PAUSE_MS = 50;
const PATHS = ["/api/openclaw/instance", "/api/openclaw/runtime/status", "/api/openclaw/sessions", "/api/approvals"];

const owned = new AsyncDisposableStack();
let rig: Rig;
const replicas: Replica[] = [];
beforeAll(async () => {
  rig = owned.use(await startRig(10));
  replicas.push(owned.use(await startReplica(rig.env)), owned.use(await startReplica(rig.env)));
});
afterAll(() => owned.disposeAsync());

/** Sends reads one after the other, as a client does that has both addresses and tries again at the other one. */
async function load(worker: number, stop: AbortSignal): Promise<{ sent: number; repeated: number }> {
  const counts = { sent: 0, repeated: 0 };
  while (!stop.aborted) {
    const path = PATHS[counts.sent % PATHS.length] ?? "";
    const user = rig.users[(worker + counts.sent) % rig.users.length] ?? "";
    for (let attempt = 0; ; attempt++) {
      const { url = "" } = replicas[(worker + counts.sent + attempt) % replicas.length] ?? {};
      const answer = await ask(url, path, user).catch((error: unknown) => error);
      if (!(answer instanceof Error) && (answer as { status: number }).status === 200) break;
      if (attempt === TRIES) throw new Error(`${path} failed ${TRIES} times`, { cause: answer });
      counts.repeated += 1;
      await pause(PAUSE_MS);
    }
    counts.sent += 1;
  }
  return counts;
}

it("one of two replicas killed, then the other drained: no request fails that is repeated, no stream pretends to be whole", async () => {
  const [first, second] = replicas;
  if (!first || !second) throw new Error("two replicas are needed");
  const stop = new AbortController();
  const loads = Array.from({ length: 8 }, (_, worker) => load(worker, stop.signal));
  const onKilled = await openChats(first.url, rig.users, 2);
  first.kill("SIGKILL");
  await Promise.all(onKilled.map(({ ended }) => ended));
  for (const { state, isDone } of onKilled) expect([state, isDone]).toEqual(["cut", false]);

  replicas[0] = owned.use(await startReplica(rig.env));
  const onDrained = await openChats(second.url, rig.users, 2);
  second.kill("SIGTERM");
  await eventually(async () => (await fetch(`${second.opsUrl}/readyz`)).status).toBe(503);
  // Turns go on while it drains, and are cut visibly when its time is over.
  const before = onDrained.map(({ seen }) => seen.length);
  await eventually(() => onDrained.every(({ seen }, index) => seen.length > (before[index] ?? 0))).toBe(true);
  await Promise.all(onDrained.map(({ ended }) => ended));
  for (const { state, isDone } of onDrained) expect([state, isDone]).toEqual(["cut", false]);
  expect(await second.exited).toEqual([0, null]);

  stop.abort();
  const counts = await Promise.all(loads);
  const sum = (what: "sent" | "repeated") => counts.reduce((all, one) => all + one[what], 0);
  expect(sum("sent")).toBeGreaterThan(100);
  console.log(`outages | replicas | ${sum("sent")} short requests, ${sum("repeated")} repeated, none failed`);
});
