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

const PAIRING = "/api/openclaw/runtime/pairing";
const AT = "2026-11-26T09:12:42.074Z";
const ACCOUNT = { channel: "telegram", accountId: "Work" };

/** A gateway with one sender who waits, until it is approved. */
let waiting: boolean;
let notification: string;
let refusal: string | undefined;

beforeEach(() => {
  gateway.seen.length = 0;
  waiting = true;
  notification = "not-requested";
  refusal = undefined;
  gateway.on((req, res) => {
    const { method } = JSON.parse(req.body) as { method: string };
    if (method === "channels.pairing.approve" && refusal !== undefined) {
      return sendJson(res, 400, { ok: false, error: { code: "INVALID_REQUEST", message: refusal } });
    }
    sendJson(res, 200, { ok: true, payload: payloads()[method] });
  });
});

function payloads(): Record<string, unknown> {
  const request = { ...ACCOUNT, requestId: "Rq-1", senderId: "4711", createdAt: AT, lastSeenAt: AT };
  const code = { channel: "telegram", accountId: "work", senderId: "4711", createdAt: AT, code: "SDQMNLRC" };
  return {
    "channels.pairing.list": {
      accounts: [ACCOUNT],
      requests: waiting ? [{ ...request, metadata: { name: "Bob" } }] : [],
    },
    "hatchery.pairing.codes": { codes: waiting ? [code] : [] },
    "channels.pairing.approve": { requestId: "Rq-1", senderId: "4711", notification },
  };
}

const asked = () => gateway.seen.map(({ body }) => JSON.parse(body) as { method: string; params: unknown });
const list = (channel: string) => call(api.url, { path: `${PAIRING}/${channel}` });
const approve = (channel: string, body: unknown) =>
  call(api.url, { method: "POST", path: `${PAIRING}/${channel}/approve`, body });

describe("the senders of a channel", () => {
  it("are told with their codes", async () => {
    const { status, json } = await list("telegram");
    expect(status).toBe(200);
    expect(json).toMatchObject({
      data: {
        channel: "telegram",
        requests: [
          { id: "4711", code: "SDQMNLRC", accountId: "Work", createdAt: AT, lastSeenAt: AT, meta: { name: "Bob" } },
        ],
      },
    });
    expect(JSON.stringify(json)).not.toContain("Rq-1");
  });

  it("may be none", async () => {
    waiting = false;
    expect((await list("telegram")).json).toMatchObject({ ok: true, data: { channel: "telegram", requests: [] } });
  });

  it("of a channel that nobody pairs in are a 404 that says which there are", async () => {
    const { status, json } = await list("signal");
    expect([status, json]).toMatchObject([
      404,
      { code: "pairing_channel_not_found", error: expect.stringContaining(": telegram") },
    ]);
  });

  it.each(["Telegram", "1x", "%2e%2e", "a%20b", "telegram%3Brm", "x".repeat(65)])(
    "of %s are refused before anybody is asked",
    async (channel) => {
      for (const answer of [await list(channel), await approve(channel, { code: "SDQMNLRC" })]) {
        expect([answer.status, answer.json]).toMatchObject([400, { error: expect.stringContaining("channel: ") }]);
      }
      expect(gateway.seen).toHaveLength(0);
    },
  );

  it("are never none when the image can't tell the codes", async () => {
    gateway.on((req, res) => {
      const { method } = JSON.parse(req.body) as { method: string };
      if (method !== "hatchery.pairing.codes") return sendJson(res, 200, { ok: true, payload: payloads()[method] });
      sendJson(res, 400, { ok: false, error: { code: "INVALID_REQUEST", message: `unknown method: ${method}` } });
    });
    const { status, json } = await list("telegram");
    expect([status, json]).toMatchObject([
      502,
      { code: "gateway_error", error: expect.stringContaining("unknown method") },
    ]);
  });
});

describe("an approval", () => {
  it("is of the very request with this code", async () => {
    const { status, json } = await approve("telegram", { code: "sdqmnlrc" });
    expect([status, json]).toMatchObject([
      200,
      { data: { approved: true, channel: "telegram", code: "SDQMNLRC", notification: "not-requested" } },
    ]);
    expect(asked().at(-1)).toEqual({
      method: "channels.pairing.approve",
      params: { channel: "telegram", accountId: "Work", requestId: "Rq-1", notify: false },
    });
  });

  it("says what became of telling the sender", async () => {
    notification = "failed";
    expect((await approve("telegram", { code: "SDQMNLRC", notify: true })).json).toMatchObject({
      data: { approved: true, notification: "failed" },
    });
    expect(asked().at(-1)).toMatchObject({ params: { notify: true } });
  });

  it("of a code that nobody has is a 404, and nothing is approved", async () => {
    const { status, json } = await approve("telegram", { code: "AAAABBBB" });
    expect([status, json]).toMatchObject([404, { code: "pairing_code_not_found" }]);
    expect(asked().map(({ method }) => method)).not.toContain("channels.pairing.approve");
  });

  it("that somebody else made first is a 404, whatever words the gateway has for it", async () => {
    gateway.on((req, res) => {
      const { method } = JSON.parse(req.body) as { method: string };
      if (method !== "channels.pairing.approve") return sendJson(res, 200, { ok: true, payload: payloads()[method] });
      waiting = false;
      sendJson(res, 400, { ok: false, error: { code: "INVALID_REQUEST", message: "all different words" } });
    });
    const { status, json } = await approve("telegram", { code: "SDQMNLRC" });
    expect([status, json]).toMatchObject([404, { code: "pairing_code_not_found" }]);
  });

  it("that the gateway refuses for another reason is told in its words", async () => {
    refusal = "the store is full";
    expect((await approve("telegram", { code: "SDQMNLRC" })).json).toMatchObject({
      error: "openclaw approvePairingRequest gateway: the store is full",
    });
  });

  it.each<[unknown, string]>([
    [undefined, "missing request body"],
    [{}, "code: "],
    [{ code: "abc" }, "code: "],
    [{ code: "AAAA BBBB" }, "code: "],
    [{ code: 7 }, "code: "],
    [{ code: "SDQMNLRC", notify: "yes" }, "notify: "],
    [{ code: "SDQMNLRC", account: "x" }, "account"],
  ])("with %j is refused by name", async (body, text) => {
    const { status, json } = await approve("telegram", body);
    expect([status, json]).toMatchObject([400, { error: expect.stringContaining(text) }]);
    expect(gateway.seen).toHaveLength(0);
  });
});
