import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiUnderTest, GATEWAY_TOKEN, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";
import { type ScriptedGateway, sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";

let api: ApiUnderTest;
let gateway: ScriptedGateway;

beforeAll(async () => {
  api = await startApi();
  gateway = await startScriptedGateway();
  api.gateways.set("human:alice", { origin: gateway.origin, token: GATEWAY_TOKEN });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

beforeEach(() => {
  gateway.seen.length = 0;
});

const DEVICES = "/api/openclaw/runtime/devices";
const PENDING = { requestId: "r1", deviceId: "d1", publicKey: "k", scopes: ["operator.read"], ts: 1 };
const PAIRED = { deviceId: "d2", publicKey: "k", approvedAtMs: 2, tokens: [{ role: "operator" }] };
const LIST = { pending: [PENDING], paired: [PAIRED] };

const list = () => call(api.url, { path: DEVICES });
const approve = (id: string) => call(api.url, { method: "POST", path: `${DEVICES}/${id}/approve` });
const reject = (id: string) => call(api.url, { method: "POST", path: `${DEVICES}/${id}/reject` });
const remove = (id: string) => call(api.url, { method: "DELETE", path: `${DEVICES}/${id}` });

/** Answers each method as the plugin does: a payload, or an error with its status. */
type Reply = { payload: unknown } | { status: number; code: string; message: string };
function methods(replies: Record<string, Reply>): void {
  gateway.on((req, res) => {
    const { method } = JSON.parse(req.body) as { method: string };
    const reply = replies[method] ?? { status: 400, code: "INVALID_REQUEST", message: `unknown method: ${method}` };
    if ("payload" in reply) return sendJson(res, 200, { ok: true, payload: reply.payload });
    const { status, ...error } = reply;
    sendJson(res, status, { ok: false, error });
  });
}
const asked = () => gateway.seen.map(({ body }) => JSON.parse(body) as unknown);
const refused = (message: string) => ({ status: 400, code: "INVALID_REQUEST", message });

describe("the list of devices", () => {
  it("is asked for by the gateway's own method, with the slot's token", async () => {
    methods({ "device.pair.list": { payload: LIST } });
    const { status, json } = await list();
    expect([status, json]).toMatchObject([
      200,
      { ok: true, data: { pending: [{ requestId: "r1", requestedAt: 1 }], paired: [{ deviceId: "d2", pairedAt: 2 }] } },
    ]);
    expect(JSON.stringify(json)).not.toMatch(/publicKey|tokens/);
    expect(asked()).toEqual([{ method: "device.pair.list", params: {} }]);
    expect(gateway.seen[0]).toMatchObject({
      method: "POST",
      path: "/hatchery/rpc",
      headers: { authorization: `Bearer ${GATEWAY_TOKEN}` },
    });
  });

  it.each<[string, Reply, number, string, string | undefined]>([
    ["is closing", { status: 503, code: "UNAVAILABLE", message: "draining" }, 503, "unavailable", "5"],
    ["is too slow", { status: 504, code: "AGENT_TIMEOUT", message: "late" }, 504, "agent_timeout", undefined],
    ["fails", { status: 500, code: "INTERNAL", message: "database is locked" }, 502, "gateway_error", undefined],
    ["knows no such method", refused("unknown method"), 502, "gateway_error", undefined],
    ["forbids it", { status: 403, code: "FORBIDDEN", message: "missing scope" }, 502, "gateway_error", undefined],
    ["has no list", { payload: {} }, 502, "gateway_error", undefined],
    ["has nothing", { payload: null }, 502, "gateway_error", undefined],
    ["has half a list", { payload: { pending: [] } }, 502, "gateway_error", undefined],
  ])("is never empty when the gateway %s", async (_name, reply, status, code, retryAfter) => {
    methods({ "device.pair.list": reply });
    const answer = await list();
    expect([answer.status, answer.headers["retry-after"]]).toEqual([status, retryAfter]);
    expect(answer.json).toMatchObject({ ok: false, data: null, code });
  });

  it.each([
    [200, { ok: false, error: { code: "X", message: "y" } }],
    [200, { ok: true }],
    [200, LIST],
    [404, {}],
    [405, { ok: false }],
  ])("is never empty when it is a %i with %j", async (status, body) => {
    gateway.on((_req, res) => sendJson(res, status, body));
    expect([(await list()).status, (await list()).json]).toMatchObject([502, { code: "gateway_error" }]);
  });

  it("names the image that can't be asked", async () => {
    gateway.on((_req, res) => void res.writeHead(404).end("Not Found"));
    expect((await list()).json).toMatchObject({
      error: expect.stringContaining("image does not serve POST /hatchery/rpc"),
    });
  });

  it("may be asked again when the answer broke off", async () => {
    gateway.on((_req, res) => void res.destroy());
    const { status, headers, json } = await list();
    expect([status, headers["retry-after"], json]).toMatchObject([502, "2", { code: "gateway_error" }]);
    expect(gateway.seen).toHaveLength(1);
  });

  it("is moving when somebody else lives there", async () => {
    gateway.on((_req, res) => sendJson(res, 401, { error: { type: "unauthorized", message: "Unauthorized" } }));
    expect([(await list()).status, (await list()).json]).toMatchObject([503, { code: "instance_moved" }]);
  });

  it("of somebody without an instance is a 404", async () => {
    expect((await call(api.url, { path: DEVICES, user: "bob" })).json).toMatchObject({ code: "instance_not_found" });
  });
});

describe("a decision", () => {
  it("lets a device in", async () => {
    methods({ "device.pair.approve": { payload: { requestId: "r1", device: { deviceId: "d1", tokens: ["t"] } } } });
    const { status, json } = await approve("r1");
    expect([status, json]).toMatchObject([200, { data: { approved: true, requestId: "r1", deviceId: "d1" } }]);
    expect(asked()).toEqual([{ method: "device.pair.approve", params: { requestId: "r1" } }]);
    expect(JSON.stringify(json)).not.toContain("tokens");
  });

  it("counts also when the gateway does not say for whom", async () => {
    methods({ "device.pair.approve": { payload: {} } });
    expect((await approve("r1")).json).toMatchObject({ data: { approved: true, requestId: "r1" } });
  });

  it("turns a device away", async () => {
    methods({ "device.pair.reject": { payload: { requestId: "r1", deviceId: "d1" } } });
    const { status, json } = await reject("r1");
    expect([status, json]).toMatchObject([200, { data: { rejected: true, requestId: "r1" } }]);
    expect((json as { data: object }).data).not.toHaveProperty("deviceId");
  });

  it.each([approve, reject])("about nobody is a 404, whatever words the gateway has for it", async (decide) => {
    const other = refused("all different words");
    methods({ "device.pair.approve": other, "device.pair.reject": other, "device.pair.list": { payload: LIST } });
    const { status, json } = await decide("r2");
    expect([status, json]).toMatchObject([404, { code: "device_request_not_found" }]);
  });

  it("that the gateway refuses for another reason is told in its words", async () => {
    methods({
      "device.pair.approve": refused("invalid scope for requested roles"),
      "device.pair.list": { payload: LIST },
    });
    const { status, json } = await approve("r1");
    expect([status, json]).toMatchObject([
      400,
      { code: "invalid_request", error: "openclaw approveDevice gateway: invalid scope for requested roles" },
    ]);
  });

  it("is no 404 when the gateway can't say who is there", async () => {
    const away = { status: 503, code: "UNAVAILABLE", message: "draining" };
    methods({ "device.pair.approve": refused("unknown requestId"), "device.pair.list": away });
    expect((await approve("r1")).status).toBe(503);
  });

  it("whose answer is lost is told so, and is not made again", async () => {
    gateway.on((_req, res) => void res.destroy());
    const { status, headers, json } = await approve("r1");
    expect([status, headers["retry-after"]]).toEqual([502, undefined]);
    expect(json).toMatchObject({ error: expect.stringContaining("may have been made") });
    expect(gateway.seen).toHaveLength(1);
  });

  it.each(["a%20b", "%2e%2e", "a%2Fb", "x".repeat(129), "%24(id)", "a'b", "%00"])(
    "about the request %s is refused before anybody is asked",
    async (id) => {
      for (const answer of [await approve(id), await reject(id)]) {
        expect([answer.status, answer.json]).toMatchObject([400, { error: expect.stringContaining("requestId: ") }]);
      }
      expect(gateway.seen).toHaveLength(0);
    },
  );
});

describe("a device", () => {
  it("is removed", async () => {
    methods({ "device.pair.remove": { payload: { deviceId: "d2" } } });
    const { status, json } = await remove("d2");
    expect([status, json]).toMatchObject([200, { data: { removed: true, deviceId: "d2" } }]);
    expect(asked()).toEqual([{ method: "device.pair.remove", params: { deviceId: "d2" } }]);
  });

  it("that only asks is none to remove", async () => {
    methods({ "device.pair.remove": refused("unknown deviceId"), "device.pair.list": { payload: LIST } });
    expect([(await remove("d1")).status, (await remove("d1")).json]).toMatchObject([404, { code: "device_not_found" }]);
    expect((await remove("d2")).status).toBe(400);
  });

  it("has an id that is no path", async () => {
    expect((await remove("%2e%2e%2fx")).json).toMatchObject({ error: expect.stringContaining("deviceId: ") });
    expect(gateway.seen).toHaveLength(0);
  });
});
