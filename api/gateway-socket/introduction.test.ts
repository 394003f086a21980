import { describe, expect, it } from "vitest";
import { FrameHeaderReader } from "./frame-header.ts";
import { introduce } from "./introduction.ts";
import { OpeningError } from "./opening-reader.ts";

const TOKEN = "token-of-the-slot";
const ISSUED = `${"A".repeat(42)}-`;
const PRESENTED = ["Bearer oa_live_abc", "oa_live_abc"];

function connect(auth: unknown, params: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      type: "req",
      id: "7",
      method: "connect",
      params: { ...params, ...(auth === undefined ? {} : { auth }) },
    }),
  );
}

function introduced(message: Buffer): { params: { auth?: unknown } } {
  return JSON.parse(introduce(message, TOKEN, PRESENTED)) as { params: { auth?: unknown } };
}

function refusal(message: Buffer): { error: OpeningError; answer: unknown } {
  try {
    introduce(message, TOKEN, PRESENTED);
  } catch (error) {
    if (!(error instanceof OpeningError)) throw error;
    if (!error.answer) return { error, answer: undefined };
    const header = new FrameHeaderReader();
    const start = header.read(error.answer, 0);
    return { error, answer: JSON.parse(error.answer.subarray(start).toString("utf8")) };
  }
  throw new Error("it was not refused");
}

describe("a connect request", () => {
  it.each<[string, unknown, unknown]>([
    ["nothing", undefined, { password: TOKEN }],
    ["an empty auth", {}, { password: TOKEN }],
    ["blank fields", { token: "", deviceToken: " " }, { token: "", deviceToken: " ", password: TOKEN }],
    ["a password of its own", { password: "oa_live_abc" }, { password: TOKEN }],
    ["a device token", { deviceToken: ISSUED }, { deviceToken: ISSUED }],
    ["a device token and a password", { deviceToken: ISSUED, password: "x" }, { deviceToken: ISSUED }],
    ["a device token where the shared one goes", { token: ISSUED }, { token: ISSUED }],
    ["a setup code", { bootstrapToken: ISSUED }, { bootstrapToken: ISSUED }],
  ])("with %s", (_name, auth, expected) => {
    expect(introduced(connect(auth)).params.auth).toEqual(expected);
  });

  it("keeps everything else as it was, what nobody knows included", () => {
    const device = { id: "d", signature: "s", signedAt: 1795684598073, nonce: "n" };
    const params = {
      device,
      scopes: ["operator.read"],
      client: { id: "cli", displayName: "ü\u2028\ud83d\ude00" },
      x: [1.5, null],
    };
    const sent = { ...JSON.parse(connect(undefined, params).toString("utf8")), later: true };
    expect(introduced(Buffer.from(JSON.stringify(sent)))).toEqual({
      ...sent,
      params: { ...params, auth: { password: TOKEN } },
    });
  });

  it.each<[string, object, string]>([
    ["an API token as the shared token", { token: "oa_live_abc" }, "auth.token"],
    ["another's token as the shared token", { token: "something" }, "auth.token"],
    ["the gateway's own token, which nobody outside knows", { token: TOKEN }, "auth.token"],
    ["a JWT as a device token", { deviceToken: "a.b.c" }, "auth.deviceToken"],
    ["an API token as a setup code", { bootstrapToken: "oa_live_abc" }, "auth.bootstrapToken"],
    ["its credential in a field we do not know", { approvalRuntimeToken: "oa_live_abc" }, "auth"],
  ])("with %s is refused, with words and a code that its client stops at", (_name, auth, field) => {
    const { error, answer } = refusal(connect(auth));
    expect(error.code).toBe(1008);
    expect(error.message).toContain(`${field}: not issued by this gateway`);
    expect(answer).toMatchObject({
      type: "res",
      id: "7",
      ok: false,
      error: { code: "INVALID_REQUEST", message: error.message, details: { code: "AUTH_TOKEN_MISMATCH" } },
    });
    expect(JSON.stringify(answer)).not.toContain("oa_live_abc");
  });

  it("with its credential in the shape of the gateway's is refused as well", () => {
    const message = connect({ deviceToken: ISSUED });
    expect(() => introduce(message, TOKEN, [ISSUED])).toThrow("auth: not issued by this gateway");
  });
});

describe("a first message that is no connect request", () => {
  it.each([
    ["another method", '{"type":"req","id":"7","method":"sessions.list","params":{}}', "7"],
    ["an event", '{"type":"event","id":"7","method":"connect","params":{}}', "7"],
    ["no params", '{"type":"req","id":"7","method":"connect"}', "7"],
    ["auth that is no object", '{"type":"req","id":"7","method":"connect","params":{"auth":["x"]}}', "7"],
    ["a token that is no text", '{"type":"req","id":"7","method":"connect","params":{"auth":{"token":1}}}', "7"],
    ["no id", '{"type":"req","method":"connect","params":{}}', undefined],
    ["an endless id", JSON.stringify({ type: "req", id: "x".repeat(300), method: "connect", params: {} }), undefined],
    ["no JSON", "hello", undefined],
    ["a list", "[]", undefined],
    ["too deep", "[".repeat(300), undefined],
    ["nothing", "", undefined],
  ])("%s", (_name, text, id) => {
    const { error, answer } = refusal(Buffer.from(text));
    expect([error.code, error.message]).toEqual([1008, "the first message is not a connect request"]);
    expect(answer).toEqual(
      id === undefined
        ? undefined
        : { type: "res", id, ok: false, error: { code: "INVALID_REQUEST", message: error.message } },
    );
  });
});
