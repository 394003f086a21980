import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { waitFor } from "#test/cluster/wait.ts";
import { DeviceApp } from "#test/harness/device-app.ts";
import { type ModelSimulator, startModelSimulator } from "#test/harness/model/simulator.ts";
import { type OpenClaw, startOpenClaw } from "#test/harness/openclaw.ts";
import { startTelegram, type Telegram } from "#test/harness/telegram.ts";
import type { DeviceList } from "../gateway/devices.ts";
import type { PairingList } from "../gateway/pairing.ts";
import { type ApiUnderTest, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";

/** These only end a test that hangs: the image is built when need be, and a busy machine starts a gateway slowly. */
const LIMITS = { build: 1_800_000, test: 600_000 } as const;

const RUNTIME = "/api/openclaw/runtime";
const READ = ["operator.read"];

let model: ModelSimulator;
let telegram: Telegram;
let openclaw: OpenClaw;
let api: ApiUnderTest;

beforeAll(async () => {
  model = await startModelSimulator();
  telegram = await startTelegram();
  const account = { enabled: true, botToken: "123456:abcdefghijklmnopqrstuvwxyzabcdefghi", apiRoot: telegram.url };
  const classConfig = { channels: { telegram: { ...account, dmPolicy: "pairing" } } };
  openclaw = await startOpenClaw({ modelUrl: model.url, classConfig });
  api = await startApi();
  api.gateways.set("human:alice", { origin: openclaw.url, token: openclaw.token });
}, LIMITS.build);

afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await openclaw?.[Symbol.asyncDispose]();
  await telegram?.[Symbol.asyncDispose]();
  await model?.close();
});

const post = (path: string, body?: unknown) => call(api.url, { method: "POST", path: RUNTIME + path, body });
const remove = (id: string) => call(api.url, { method: "DELETE", path: `${RUNTIME}/devices/${id}` });

/** The `data` of a list, which must be one. */
async function get<T>(path: string): Promise<T> {
  const { status, json, text } = await call(api.url, { path: RUNTIME + path });
  expect(status, text).toBe(200);
  return (json as { data: T }).data;
}
const devices = () => get<DeviceList>("/devices");
const waiting = () => get<PairingList>("/pairing/telegram");

/** An app that came to the door and has to wait. */
async function knock(app: DeviceApp, scopes = READ, displayName = "Alice's phone"): Promise<string> {
  const admission = await app.connect({ url: openclaw.url, token: openclaw.token, scopes, displayName });
  if (admission.isIn || admission.requestId === undefined)
    throw new Error(`not asked first: ${JSON.stringify(admission)}`);
  return admission.requestId;
}
async function enter(app: DeviceApp, scopes = READ) {
  const admission = await app.connect({ url: openclaw.url, token: openclaw.token, scopes });
  if (!admission.isIn) throw new Error(`not let in: ${JSON.stringify(admission)}`);
  return admission;
}

describe("a device of a real OpenClaw", { timeout: LIMITS.test }, () => {
  it("asks, is shown, is let in, comes in, and is shown again", async () => {
    expect(await devices()).toEqual({ pending: [], paired: [] });
    const app = new DeviceApp();
    const before = Date.now();
    const requestId = await knock(app);
    const shown = {
      deviceId: app.id,
      displayName: "Alice's phone",
      client: { platform: "linux", mode: "cli", id: "cli" },
      role: "operator",
      roles: ["operator"],
      scopes: READ,
    };
    const { pending, paired } = await devices();
    expect(paired).toEqual([]);
    expect(pending).toEqual([
      { requestId, ...shown, requestedAt: expect.any(Number), expiresAt: (pending[0]?.requestedAt ?? 0) + 300_000 },
    ]);
    expect(pending[0]?.requestedAt).toBeGreaterThanOrEqual(before);

    const approved = await post(`/devices/${requestId}/approve`);
    expect([approved.status, approved.json]).toMatchObject([
      200,
      { data: { approved: true, requestId, deviceId: app.id } },
    ]);
    const connection = await enter(app);
    expect(connection.scopes).toEqual(READ);
    const after = await devices();
    expect(after).toEqual({
      pending: [],
      paired: [{ ...shown, displayName: null, pairedAt: expect.any(Number), lastSeenAt: expect.any(Number) }],
    });

    expect((await remove(app.id)).json).toMatchObject({ data: { removed: true, deviceId: app.id } });
    await connection.closed;
    expect(await devices()).toEqual({ pending: [], paired: [] });
    expect([(await remove(app.id)).status, (await remove(app.id)).json]).toMatchObject([
      404,
      { code: "device_not_found" },
    ]);
    const again = await knock(app);
    expect(again).not.toBe(requestId);
    await post(`/devices/${again}/reject`);
  });

  it("that is turned away stays out, and may ask again", async () => {
    const app = new DeviceApp();
    const requestId = await knock(app);
    const rejected = await post(`/devices/${requestId}/reject`);
    expect([rejected.status, rejected.json]).toMatchObject([200, { data: { rejected: true, requestId } }]);
    expect(await devices()).toEqual({ pending: [], paired: [] });
    for (const decision of ["approve", "reject"]) {
      const late = await post(`/devices/${requestId}/${decision}`);
      expect([late.status, late.json]).toMatchObject([404, { code: "device_request_not_found" }]);
    }
    await post(`/devices/${await knock(app)}/reject`);
  });

  it("that is in and wants more asks anew, and loses nothing meanwhile", async () => {
    const app = new DeviceApp();
    await post(`/devices/${await knock(app)}/approve`);
    const more = [...READ, "operator.admin"];
    const requestId = await knock(app, more);
    const { pending, paired } = await devices();
    expect([pending, paired]).toMatchObject([[{ requestId, deviceId: app.id, scopes: more }], [{ scopes: READ }]]);
    (await enter(app)).close();
    expect((await post(`/devices/${requestId}/approve`)).status).toBe(200);
    const connection = await enter(app, more);
    expect(connection.scopes).toEqual(more);
    connection.close();
    await remove(app.id);
  });

  it("may be one of many who ask at once", async () => {
    const apps = Array.from({ length: 20 }, () => new DeviceApp());
    const ids = await Promise.all(apps.map((app) => knock(app)));
    const { pending } = await devices();
    expect(pending.map(({ requestId }) => requestId).sort()).toEqual(ids.toSorted());
    const decisions = await Promise.all(ids.map((id) => post(`/devices/${id}/reject`)));
    expect(decisions.map(({ status }) => status)).toEqual(ids.map(() => 200));
    expect((await devices()).pending).toEqual([]);
  });
});

describe("a sender to a real OpenClaw", { timeout: LIMITS.test }, () => {
  const bob = { id: 4711, firstName: "Bob", username: "bob" };
  const heard = (text: RegExp) => telegram.said.filter((message) => text.test(message.text));
  const hears = (text: RegExp) =>
    waitFor(`Bob hears ${text}`, () => heard(text).length > 0, { timeoutMs: LIMITS.test / 2 });

  it("waits with the code that the bot told, and is let in by it", async () => {
    expect(await waiting()).toEqual({ channel: "telegram", requests: [] });
    telegram.write(bob, "hello from Bob");
    await hears(/[A-Z2-9]{8}/);
    const { requests } = await waiting();
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(requests).toEqual([
      {
        id: "4711",
        code: expect.stringMatching(/^[A-Z0-9]{8}$/),
        accountId: "default",
        createdAt: time,
        lastSeenAt: time,
        expiresAt: time,
        meta: { username: "bob", firstName: "Bob" },
      },
    ]);
    const code = requests[0]?.code ?? "";
    expect(telegram.said).toMatchObject([{ to: "4711", text: expect.stringContaining(code) }]);

    const wrong = await post("/pairing/telegram/approve", { code: code.replace(/./, (c) => (c === "A" ? "B" : "A")) });
    expect([wrong.status, wrong.json]).toMatchObject([404, { code: "pairing_code_not_found" }]);
    expect((await waiting()).requests).toHaveLength(1);

    const approved = await post("/pairing/telegram/approve", { code: code.toLowerCase(), notify: true });
    expect([approved.status, approved.json]).toMatchObject([
      200,
      { data: { approved: true, channel: "telegram", code, notification: "sent" } },
    ]);
    expect(heard(/approved/i)).toMatchObject([{ to: "4711" }]);
    expect((await waiting()).requests).toEqual([]);
    expect((await post("/pairing/telegram/approve", { code })).status).toBe(404);

    telegram.write(bob, "let me in");
    await hears(/let me in/);
  });

  it("is not found in a channel that nobody set up", async () => {
    for (const answer of [
      await call(api.url, { path: `${RUNTIME}/pairing/signal` }),
      await post("/pairing/signal/approve", { code: "AAAABBBB" }),
    ]) {
      expect([answer.status, answer.json]).toMatchObject([
        404,
        { code: "pairing_channel_not_found", error: expect.stringMatching(/: telegram$/) },
      ]);
    }
  });
});
