import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GATEWAY_PORT, PHASE } from "#crds/index.ts";
import { DeviceApp } from "#test/harness/device-app.ts";
import { forwardToPod } from "./port-forward.ts";
import { connectSystem, type System } from "./system.ts";
import { type Answer, User } from "./user.ts";

const SCOPES = ["operator.read"];
const RUNTIME = "/api/openclaw/runtime";

let system: System;
let alice: User;
let bob: User;
/** Name of alice's pod, volume and so on. */
let runtime: string;
beforeAll(async () => {
  system = await connectSystem();
  alice = new User(system, "alice");
  bob = new User(system, "bob");
  [runtime] = await Promise.all([alice.ensureInstance(), bob.ensureInstance()]);
});
afterAll(() => system[Symbol.asyncDispose]());

/** Goes to the door of alice's gateway with the slot's token, which only a key makes a device of hers. */
async function knock(app: DeviceApp) {
  const path = "jsonpath={.data.gateway-token}";
  const secret = await system.kubectl("get", "secret", runtime, "--output", path);
  const token = Buffer.from(secret, "base64").toString();
  await using door = await forwardToPod(system, runtime, GATEWAY_PORT);
  const admission = await app.connect({ url: door.url, token, scopes: SCOPES, displayName: "Alice's phone" });
  if (admission.isIn) admission.close();
  return admission;
}

async function request(app: DeviceApp): Promise<string> {
  const admission = await knock(app);
  if (admission.isIn || admission.requestId === undefined)
    throw new Error(`not asked first: ${JSON.stringify(admission)}`);
  return admission.requestId;
}

const post = (user: User, path: string) => user.call("POST", RUNTIME + path);
const devices = (user: User) => user.call("GET", `${RUNTIME}/devices`);
const data = ({ status, json, text }: Answer): unknown => {
  expect(status, text).toBe(200);
  return (json as { data: unknown }).data;
};
/** Uid of alice's pod. */
const pod = () => system.kubectl("get", "pod", runtime, "--output", "jsonpath={.metadata.uid}");

describe("a device", () => {
  const app = new DeviceApp();

  it("asks, and only its owner is told, and only they may decide", async () => {
    const requestId = await request(app);
    const pending = [{ requestId, deviceId: app.id, displayName: "Alice's phone", role: "operator", scopes: SCOPES }];
    const answer = await devices(alice);
    expect(data(answer)).toMatchObject({ pending, paired: [] });
    expect(answer.text).not.toMatch(/token|publicKey/i);
    expect(data(await devices(bob))).toEqual({ pending: [], paired: [] });
    for (const decision of ["approve", "reject"]) {
      const { status, json } = await post(bob, `/devices/${requestId}/${decision}`);
      expect([status, json]).toMatchObject([404, { code: "device_request_not_found" }]);
    }
    expect(await knock(app)).toMatchObject({ isIn: false, requestId });
    expect(data(await post(alice, `/devices/${requestId}/approve`))).toEqual({
      approved: true,
      requestId,
      deviceId: app.id,
    });
    expect(await knock(app)).toMatchObject({ isIn: true, scopes: SCOPES });
  });

  it("is still let in after a restart, on the same volume in another pod", async () => {
    const before = await pod();
    expect(data(await post(alice, "/restart"))).toEqual({ message: "restarting" });
    await system.instanceUntil(
      runtime.replace(/^openclaw-/, ""),
      ({ status }) => status?.phase === PHASE.Ready && status.runtime?.podUID !== before,
    );
    expect(await pod()).not.toBe(before);
    await alice.ensureInstance();
    expect(data(await devices(alice))).toMatchObject({ pending: [], paired: [{ deviceId: app.id }] });
    expect(await knock(app)).toMatchObject({ isIn: true });
  });

  it("is kept while its OpenClaw is stopped, and can't be asked for meanwhile", async () => {
    expect(data(await post(alice, "/stop?wait=120"))).toMatchObject({ status: "ready", suspended: true });
    await expect(pod()).rejects.toThrow(/not found/i);
    for (const { status, json } of [await devices(alice), await post(alice, "/restart")]) {
      expect([status, json]).toMatchObject([409, { code: "instance_suspended" }]);
    }
    expect((await post(alice, "/start?wait=120")).status).toBe(200);
    await alice.ensureInstance();
    expect(data(await devices(alice))).toMatchObject({ pending: [], paired: [{ deviceId: app.id }] });
  });

  it("that is removed has to ask again, and may be turned away", async () => {
    const remove = (user: User) => user.call("DELETE", `${RUNTIME}/devices/${app.id}`);
    expect((await remove(bob)).status).toBe(404);
    expect(data(await remove(alice))).toEqual({ removed: true, deviceId: app.id });
    const requestId = await request(app);
    expect(data(await post(alice, `/devices/${requestId}/reject`))).toEqual({ rejected: true, requestId });
    expect(data(await devices(alice))).toEqual({ pending: [], paired: [] });
  });
});

describe("senders in a channel", () => {
  it("are never 'none' where nobody set the channel up", async () => {
    const { status, json } = await alice.call("GET", `${RUNTIME}/pairing/telegram`);
    expect([status, json]).toMatchObject([404, { code: "pairing_channel_not_found" }]);
    const approval = await alice.call("POST", `${RUNTIME}/pairing/telegram/approve`, { body: { code: "AAAABBBB" } });
    expect([approval.status, approval.json]).toMatchObject([404, { code: "pairing_channel_not_found" }]);
  });
});
