import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readTurn } from "#test/up/turn.ts";
import { agentKeyAuthenticator } from "./auth/agent-key.ts";
import { apiTokenAuthenticator } from "./auth/api-token.ts";
import { internalKeyAuthenticator } from "./auth/internal-key.ts";
import { ALL_SCOPES } from "./auth/scopes.ts";
import type { CredentialVerifier } from "./credentials/verifier.ts";
import { ApiError } from "./errors.ts";
import { type ApiUnderTest, as, GATEWAY_TOKEN, INTERNAL_KEY, startApi } from "./testing/api-under-test.ts";
import { type ClientRequest, call, open } from "./testing/client.ts";
import { beginEvents, type ScriptedGateway, sendJson, startScriptedGateway } from "./testing/scripted-gateway.ts";

/*
 * The tests that the original system had, each as what it means here. Where a client of the original had to see to something, and
 * no client of ours does, the test shows what the server does in its place.
 */

const TOKEN = "oa_live_of-alice";
const AGENT_KEY = "oak_live_of-the-agent";

/** Knows one token and one key. */
const credentials: CredentialVerifier = {
  async verify(scheme, secret) {
    const known = { scheme, scopes: ALL_SCOPES, credentialId: "id" } as const;
    if (scheme === "api-token" && secret === TOKEN) return { ...known, tenant: { kind: "Human", subject: "alice" } };
    if (scheme === "agent-key" && secret === AGENT_KEY) return { ...known, tenant: { kind: "Agent", subject: "a-1" } };
    throw new ApiError("unauthorized", "unauthorized");
  },
  identify: async () => undefined,
};

let api: ApiUnderTest;
let gateway: ScriptedGateway;

beforeAll(async () => {
  const schemes = [agentKeyAuthenticator(credentials), apiTokenAuthenticator(credentials)];
  api = await startApi({ authenticators: [internalKeyAuthenticator(INTERNAL_KEY), ...schemes] });
  gateway = await startScriptedGateway();
  for (const tenant of ["human:alice", "agent:a-1"]) {
    api.gateways.set(tenant, { origin: gateway.origin, token: GATEWAY_TOKEN });
  }
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});
beforeEach(() => {
  gateway.seen.length = 0;
});

/** As whom the API knows the sender of these headers, or why it knows nobody. */
async function whoIs(headers: Record<string, string>): Promise<string> {
  const { status, json } = await call(api.url, { path: "/api/openclaw/principal", user: null, headers });
  const { data, code } = json as { data: { tenant_id: string } | null; code?: string };
  return data?.tenant_id ?? `${status} ${code}`;
}

describe("bearer beats service header", () => {
  it("here no credential beats another: two of them are a 401, whichever would be good", async () => {
    const bearer = { authorization: `Bearer ${TOKEN}` };
    const agent = { "x-oa-agent-key": AGENT_KEY };
    expect([await whoIs(bearer), await whoIs(agent)]).toEqual(["human:alice", "agent:a-1"]);
    expect(await whoIs({ ...bearer, ...agent })).toBe("401 unauthorized");
    expect(await whoIs({ ...bearer, "x-api-key": TOKEN })).toBe("401 unauthorized");
    expect(await whoIs({ ...agent, authorization: "Bearer wrong" })).toBe("401 unauthorized");
  });

  it("but the internal key decides where it is there, right or wrong", async () => {
    const bearer = { authorization: `Bearer ${TOKEN}` };
    expect(await whoIs({ ...bearer, ...as("bob") })).toBe("human:bob");
    expect(await whoIs({ ...bearer, ...as("bob"), "x-oa-internal-key": "wrong" })).toBe("401 unauthorized");
  });

  it("and the internal key as a bearer is none, so that no token is ever compared with it", async () => {
    expect(await whoIs({ authorization: `Bearer ${INTERNAL_KEY}`, "x-oa-user-id": "bob" })).toBe("401 unauthorized");
  });
});

describe("a token that does not match is refused", () => {
  it.each([
    ["another", "x".repeat(INTERNAL_KEY.length)],
    ["a shorter", INTERNAL_KEY.slice(0, -1)],
    ["a longer", `${INTERNAL_KEY}0`],
    ["one in other case", INTERNAL_KEY.toUpperCase()],
    ["an empty", ""],
  ])("%s internal key", async (_, key) => {
    expect(await whoIs({ ...as("alice"), "x-oa-internal-key": key })).toBe("401 unauthorized");
  });

  it("and the gateway's refusal of ours is never passed on as the caller's", async () => {
    gateway.on((_req, res) => sendJson(res, 401, { error: { type: "unauthorized", message: "Unauthorized" } }));
    const { status, json } = await call(api.url, { path: "/api/openclaw/sessions" });
    expect([status, json]).toMatchObject([503, { code: "instance_moved" }]);
  });
});

describe("envelopes", () => {
  it("ok", async () => {
    const { status, json, headers } = await call(api.url, { path: "/api/openclaw/principal" });
    const data = { tenant_id: "human:alice", principal_type: "human" };
    expect([status, json]).toEqual([200, { ok: true, data, error: null, requestId: headers["x-request-id"] }]);
  });

  it("err", async () => {
    const { status, json, headers } = await call(api.url, { path: "/api/openclaw/sessions", user: "nobody" });
    const error = "openclaw listSessions get_instance: instance not found";
    const told = { ok: false, data: null, error, code: "instance_not_found", requestId: headers["x-request-id"] };
    expect([status, json]).toEqual([404, told]);
  });
});

describe("server-sent events, through the API and read by type", () => {
  const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;
  const delta = (text: string) => event({ type: "response.output_text.delta", delta: text });

  /** The text of a turn whose events the gateway sends. */
  async function turn(...events: string[]): Promise<string> {
    gateway.on((_req, res) => {
      beginEvents(res);
      res.end(events.join(""));
    });
    const { status, stream } = await open(api.url, { path: "/api/openclaw/chat", body: { input: "x", stream: true } });
    expect(status).toBe(200);
    let text = "";
    for await (const piece of readTurn(stream.setEncoding("utf8"))) text += piece;
    return text;
  }

  it("two deltas and [DONE] are their concatenation, also with the text once more at the end", async () => {
    const done = event({ type: "response.output_text.done", text: "Hello" });
    const completed = event({ type: "response.completed", response: { status: "completed" } });
    expect(await turn(delta("Hel"), delta("lo"), done, completed, "data: [DONE]\n\n")).toBe("Hello");
  });

  it("an error payload is an error, in its own words", async () => {
    const failed = event({ type: "response.failed", response: { error: { message: "no such model" } } });
    await expect(turn(delta("Hel"), failed, "data: [DONE]\n\n")).rejects.toThrow("no such model");
  });

  it("an error before the stream is no stream at all, but has its status", async () => {
    gateway.on((_req, res) => sendJson(res, 429, { error: { type: "rate_limit_error", message: "slow down" } }));
    const { status, json } = await call(api.url, { path: "/api/openclaw/chat", body: { input: "x", stream: true } });
    expect([status, json]).toMatchObject([429, { ok: false, error: "openclaw chat gateway: slow down" }]);
  });

  it("bad JSON is not skipped, as the original did: a turn with a hole in it is none", async () => {
    const completed = event({ type: "response.completed" });
    await expect(turn(delta("Hel"), "data: {oops\n\n", delta("lo"), completed)).rejects.toThrow(SyntaxError);
  });
});

describe("the API's base is normalised", () => {
  // No client of ours composes addresses of pages and of the API in one place; a base that is wrong cannot be taken for a page.
  it.each([
    "/openclaw/principal",
    "/api/openclaw/principal/",
    "/api//openclaw/principal",
    "//api/openclaw/principal",
    "/api/api/openclaw/principal",
    "/API/openclaw/principal",
  ])("%s is the same resource or a 404, in JSON either way", async (path) => {
    const { status, headers, json } = await call(api.url, { path, headers: { accept: "text/html" } });
    expect([200, 404]).toContain(status);
    expect(headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(json).toMatchObject(status === 200 ? { data: { tenant_id: "human:alice" } } : { code: "not_found" });
  });
});

describe("a deletion sends both internal headers", () => {
  // Whichever header a client forgets, the API names it and deletes nothing; without a cluster, an admitted one ends as a 500.
  it.each<[string, Record<string, string>, string]>([
    ["the key alone", { "x-oa-internal-key": INTERNAL_KEY }, "400 missing_user_id"],
    ["the user id alone", { "x-oa-user-id": "alice" }, "401 unauthorized"],
    ["both", as("alice"), "500 internal"],
  ])("with %s", async (_, headers, expected) => {
    const sent = { method: "DELETE", path: "/api/openclaw/instance", user: null, headers };
    const { status, json } = await call(api.url, sent);
    expect(`${status} ${(json as { code: string }).code}`).toBe(expected);
  });
});

describe("an agent's key is used instead of the internal headers", () => {
  it.each([{ "x-oa-agent-key": AGENT_KEY }, { authorization: `Agent ${AGENT_KEY}` }])(
    "it is enough, and makes its agent the tenant: %j",
    async (headers) => {
      expect(await whoIs(headers)).toBe("agent:a-1");
      expect(await whoIs({ ...headers, "x-oa-user-id": "alice" })).toBe("agent:a-1");
    },
  );
});

describe("ok:false with HTTP 200 is still an error", () => {
  it("and never an answer of ours: on every route, success and status agree", async () => {
    gateway.on((_req, res) => sendJson(res, 200, { ok: false, error: { code: "X", message: "no" } }));
    const disagreeing: string[] = [];
    const seen = new Set<boolean>();
    // A turn's answer is the gateway's own, byte for byte: no envelope of ours, see below. Nor has the reference one.
    const enveloped = api.routes.filter(
      (route) => route.path.startsWith("/api/") && !route.path.endsWith("/chat") && !("document" in route),
    );
    for (const { method, path } of enveloped) {
      for (const user of ["alice", "nobody", null]) {
        const to = path.replace(":channel", "telegram").replaceAll(/:\w+/g, "x");
        const { status, text, json } = await call(api.url, { method, path: to, user, ...bodyFor(method, path) });
        const { ok } = json as { ok?: unknown };
        if (typeof ok !== "boolean" || ok !== status < 300) disagreeing.push(`${method} ${path}: ${status} ${text}`);
        else seen.add(ok);
      }
    }
    expect(disagreeing).toEqual([]);
    expect(seen.size).toBe(2);
  });

  it.each(["/api/openclaw/sessions", "/api/openclaw/runtime/devices", "/api/openclaw/runtime/pairing/telegram"])(
    "said by the gateway, it is a 502 of %s",
    async (path) => {
      gateway.on((_req, res) => sendJson(res, 200, { ok: false, error: { code: "X", message: "no" } }));
      const { status, json } = await call(api.url, { path });
      expect([status, json]).toMatchObject([502, { ok: false, data: null, code: "gateway_error" }]);
    },
  );

  it("said by the gateway in place of a turn, it is no turn", async () => {
    gateway.on((_req, res) => sendJson(res, 200, { ok: false, error: { code: "X", message: "no" } }));
    const { stream } = await open(api.url, { path: "/api/openclaw/chat", body: { input: "x", stream: true } });
    const pieces = readTurn(stream.setEncoding("utf8"));
    await expect(pieces.next()).rejects.toThrow("before the turn was complete");
  });

  it.each(["/api/openclaw/tools/invoke", "/api/openclaw/sessions/main/send"])(
    "nor does anything that is written succeed by it: %s",
    async (path) => {
      gateway.on((_req, res) => sendJson(res, 200, { ok: false, error: { code: "X", message: "no" } }));
      const { status, json } = await call(api.url, { ...bodyFor("POST", path), path });
      expect([status, json]).toMatchObject([502, { ok: false, data: null, code: "gateway_error" }]);
    },
  );
});

describe("/openclaw/instance does not say 'not authenticated'", () => {
  it("to whom the API knows, whatever else is wrong", async () => {
    for (const headers of [as("alice"), { "x-api-key": TOKEN }, { "x-oa-agent-key": AGENT_KEY }]) {
      const { status, text } = await call(api.url, { path: "/api/openclaw/instance", user: null, headers });
      expect(status).not.toBe(401);
      expect(text).not.toMatch(/not authenticated|unauthorized/);
    }
  });
});

/** What a route needs to get as far as its gateway. */
function bodyFor(method: string, path: string): Pick<ClientRequest, "body"> {
  if (method !== "POST") return {};
  if (path.endsWith("/invoke")) return { body: { tool: "x" } };
  return path.endsWith("/send") ? { body: { message: "x" } } : {};
}
