import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Admission, DeviceApp, type Introduction } from "#test/harness/device-app.ts";
import { type ModelSimulator, startModelSimulator } from "#test/harness/model/simulator.ts";
import { type OpenClaw, startOpenClaw } from "#test/harness/openclaw.ts";
import { makePodNetwork, type PodNetwork } from "#test/harness/pod-network.ts";
import { type Authenticator, unauthorized } from "../auth/authenticator.ts";
import { internalKeyAuthenticator } from "../auth/internal-key.ts";
import { ALL_SCOPES } from "../auth/scopes.ts";
import type { DeviceList } from "../gateway/devices.ts";
import { type ApiUnderTest, as, INTERNAL_KEY, PAGE, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";
import { GATEWAY_SOCKET_PATH } from "./gateway-sockets.ts";
import { CREDENTIAL_PREFIX, SUBPROTOCOL } from "./subprotocol.ts";

/** These only end a test that hangs: the image is built when need be, and a busy machine starts a gateway slowly. */
const LIMITS = { build: 1_800_000, test: 600_000 } as const;
const RUNTIME = "/api/openclaw/runtime";
const SCOPES = ["operator.read", "operator.write"];
const API_TOKEN = "oa_live_of-alice";

const apiToken: Authenticator = {
  scheme: "api-token",
  async authenticate({ authorization }) {
    if (!authorization) return undefined;
    if (authorization.join() !== `Bearer ${API_TOKEN}`) throw unauthorized("wrong token");
    return { scheme: "api-token", tenant: { kind: "Human", subject: "alice" }, scopes: ALL_SCOPES };
  },
};

/** Stands between clients and the API, and keeps every byte that a client receives. */
interface Tap extends AsyncDisposable {
  readonly url: string;
  readonly received: Buffer[];
}

let network: PodNetwork;
let model: ModelSimulator;
let openclaw: OpenClaw;
let api: ApiUnderTest;
let tap: Tap;

beforeAll(async () => {
  network = await makePodNetwork();
  model = await startModelSimulator();
  openclaw = await startOpenClaw({ modelUrl: model.url, network });
  api = await startApi({ authenticators: [internalKeyAuthenticator(INTERNAL_KEY), apiToken] });
  api.gateways.set("human:alice", { origin: openclaw.url, token: openclaw.token });
  tap = await startTap(api.port);
}, LIMITS.build);

afterAll(async () => {
  await tap?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
  await openclaw?.[Symbol.asyncDispose]();
  await model?.close();
  await network?.[Symbol.asyncDispose]();
}, LIMITS.test);

const knock = (app: DeviceApp, more: Partial<Introduction> = {}) =>
  app.connect({ url: tap.url, scopes: SCOPES, headers: as("alice"), ...more });

async function enter(app: DeviceApp, more: Partial<Introduction> = {}) {
  const admission = await knock(app, more);
  if (!admission.isIn) throw new Error(`not let in: ${JSON.stringify(admission)}`);
  return admission;
}

async function devices(): Promise<DeviceList> {
  const { status, json, text } = await call(api.url, { path: `${RUNTIME}/devices` });
  expect(status, text).toBe(200);
  return (json as { data: DeviceList }).data;
}

async function approve(admission: Admission): Promise<void> {
  if (admission.isIn || !admission.requestId) throw new Error(`not asked first: ${JSON.stringify(admission)}`);
  const path = `${RUNTIME}/devices/${admission.requestId}/approve`;
  const { status, text } = await call(api.url, { method: "POST", path });
  expect(status, text).toBe(200);
}

describe("a client of a real OpenClaw, through the API", { timeout: LIMITS.test }, () => {
  const app = new DeviceApp();

  it("asks to be let in, is shown to its owner, is let in, and works", async () => {
    const asked = await knock(app, { displayName: "Alice's laptop" });
    expect(asked).toMatchObject({ isIn: false, code: "PAIRING_REQUIRED" });
    expect(await devices()).toMatchObject({
      pending: [{ deviceId: app.id, displayName: "Alice's laptop", scopes: SCOPES }],
      paired: [],
    });
    await approve(asked);
    const connection = await enter(app);
    expect(connection.scopes).toEqual(SCOPES);
    expect(await connection.call("sessions.create", { key: "by-socket" })).toMatchObject({ ok: true });
    expect(JSON.stringify(await connection.call("sessions.list"))).toContain("agent:main:by-socket");
    connection.close();
    expect(await devices()).toMatchObject({ pending: [], paired: [{ deviceId: app.id, scopes: SCOPES }] });
  });

  it("goes on by what the gateway gave it, for what that is good for", async () => {
    const first = await enter(app);
    first.close();
    const { deviceToken } = first;
    expect(deviceToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const again = await enter(app, { deviceToken });
    expect(await again.call("sessions.list")).toMatchObject({ sessions: [{}] });
    again.close();
    const more = await knock(app, { deviceToken, scopes: [...SCOPES, "operator.admin"] });
    expect(more).toMatchObject({ isIn: false, code: "AUTH_SCOPE_MISMATCH" });
    const other = await knock(new DeviceApp(), { deviceToken });
    expect(other).toMatchObject({ isIn: false, code: "AUTH_DEVICE_TOKEN_MISMATCH" });
  });

  it("has to ask again for more than it was let in with", async () => {
    const scopes = [...SCOPES, "operator.admin"];
    expect(await knock(app, { scopes })).toMatchObject({ isIn: false, code: "PAIRING_REQUIRED" });
    const { pending, paired } = await devices();
    expect([pending, paired]).toMatchObject([[{ deviceId: app.id, scopes }], [{ scopes: SCOPES }]]);
    const path = `${RUNTIME}/devices/${pending[0]?.requestId}/reject`;
    expect((await call(api.url, { method: "POST", path })).status).toBe(200);
  });

  it("may do nothing without a device, whatever it asks for", async () => {
    for (const id of ["cli", "gateway-client"]) {
      const client = { id, mode: id === "cli" ? "cli" : "backend" };
      const anonymous = await enter(new DeviceApp(), { isAnonymous: true, client, scopes: ["operator.admin"] });
      expect(anonymous.scopes).toEqual([]);
      await expect(anonymous.call("sessions.list")).rejects.toThrow("missing scope");
      anonymous.close();
    }
  });

  it("may be a page of a browser, with its credential in a subprotocol", async () => {
    const page = new DeviceApp();
    const introduction = {
      headers: { origin: PAGE },
      protocols: [SUBPROTOCOL, CREDENTIAL_PREFIX + Buffer.from(API_TOKEN).toString("base64url")],
      client: { id: "webchat-ui", mode: "webchat" },
    };
    await approve(await knock(page, introduction));
    const connection = await enter(page, introduction);
    expect(await connection.call("sessions.list")).toMatchObject({ sessions: [{}] });
    connection.close();
  });

  it("does not get in by a token it made up, nor by its own in the wrong place", async () => {
    for (const token of ["guess", openclaw.token, API_TOKEN]) {
      expect(await knock(app, { token })).toMatchObject({ isIn: false, code: "AUTH_TOKEN_MISMATCH" });
    }
    await expect(knock(app, { headers: as("bob") })).rejects.toThrow();
    await expect(knock(app, { headers: {}, token: openclaw.token })).rejects.toThrow();
    await expect(knock(app, { headers: { authorization: `Bearer ${openclaw.token}` } })).rejects.toThrow();
  });

  it("is let in no more once its owner removed it", async () => {
    const connection = await enter(app);
    const { status } = await call(api.url, { method: "DELETE", path: `${RUNTIME}/devices/${app.id}` });
    expect(status).toBe(200);
    await connection.closed;
    expect(await knock(app)).toMatchObject({ isIn: false, code: "PAIRING_REQUIRED" });
  });

  it("is told to come back when this replica shuts down, and never received the gateway's token", async () => {
    const page = new DeviceApp();
    await approve(await knock(page));
    const connection = await enter(page);
    api.draining.abort();
    expect(await connection.closed).toBe(1012);
    const received = Buffer.concat(tap.received);
    expect(received.includes("hello-ok")).toBe(true);
    expect(received.includes(openclaw.token)).toBe(false);
    // The pod, in turn, never heard of the client's credentials.
    expect(openclaw.log()).not.toContain(API_TOKEN);
    expect(openclaw.log()).not.toContain(openclaw.token);
  });
});

async function startTap(port: number): Promise<Tap> {
  const received: Buffer[] = [];
  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    const upstream = connect(port, "127.0.0.1");
    upstream.on("data", (chunk) => received.push(chunk));
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${GATEWAY_SOCKET_PATH}`,
    received,
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
