import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Authenticator } from "./auth/authenticator.ts";
import { internalKeyAuthenticator } from "./auth/internal-key.ts";
import { SCOPES, type Scope } from "./auth/scopes.ts";
import { CLOSE_CODE } from "./gateway-socket/frame-header.ts";
import { GATEWAY_SOCKET_PATH } from "./gateway-socket/gateway-sockets.ts";
import { INTERNAL_KEY, startApi } from "./testing/api-under-test.ts";
import { call } from "./testing/client.ts";
import { startSocketGateway } from "./testing/socket-gateway.ts";
import { connectFrame, handshake, refusalOf } from "./testing/socket-passage.ts";

const TOKEN = "token-of-alices-slot";

/** A credential that is good for what it says: `Bearer <scope> <scope>`, of an agent if it says so. */
const scoped: Authenticator = {
  scheme: "api-token",
  async authenticate({ authorization }) {
    const [value] = authorization ?? [];
    const words = value?.split(" ").slice(1) ?? [];
    const scopes = new Set<Scope>(SCOPES.filter((scope) => words.includes(scope)));
    const kind = words.includes("agent") ? "Agent" : "Human";
    return value ? { scheme: "api-token", tenant: { kind, subject: "alice" }, scopes } : undefined;
  },
};

async function startBoth() {
  const api = await startApi({ authenticators: [internalKeyAuthenticator(INTERNAL_KEY), scoped] });
  const gateway = await startSocketGateway(TOKEN);
  api.gateways.set("human:alice", { origin: gateway.origin, token: TOKEN });
  onTestFinished(async () => {
    await api[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });
  return { api, gateway };
}

describe("the passage to gateways within the API", () => {
  it("asks for all that can be done by it", async () => {
    const { api, gateway } = await startBoth();
    const as = (...scopes: (Scope | "agent")[]) =>
      handshake(api.port, { user: null, headers: { authorization: `Bearer ${scopes.join(" ")}` } });
    for (const lacking of ["openclaw:read", "openclaw:write", "openclaw:chat"] as const) {
      const answer = await refusalOf(as(...SCOPES.filter((scope) => scope !== lacking)));
      expect([answer.status, answer.json]).toMatchObject([
        403,
        { code: "insufficient_scope", error: `the credential lacks the scope ${lacking}` },
      ]);
    }
    const agent = await refusalOf(as("agent", ...SCOPES));
    expect([agent.status, agent.json]).toMatchObject([403, { code: "humans_only" }]);
    expect(gateway.seen).toEqual([]);
    const client = as("openclaw:read", "openclaw:write", "openclaw:chat");
    expect(await client.head()).toContain(" 101 ");
    client.socket.destroy();
  });

  it("tells who wants no WebSocket that there is nothing else", async () => {
    const { api } = await startBoth();
    const answer = await call(api.url, { path: GATEWAY_SOCKET_PATH });
    expect([answer.status, answer.headers.upgrade, answer.json]).toMatchObject([
      426,
      "websocket",
      { code: "upgrade_required", error: expect.stringMatching(/^openclaw gateway validate: /) },
    ]);
    expect((await call(api.url, { path: GATEWAY_SOCKET_PATH, user: null })).status).toBe(401);
    expect((await call(api.url, { path: GATEWAY_SOCKET_PATH, method: "POST" })).status).toBe(405);
  });

  it("leaves requests alone that offer another protocol, or a WebSocket elsewhere", async () => {
    const { api } = await startBoth();
    for (const upgrade of ["h2c", "websocket"]) {
      const answer = await call(api.url, { path: "/api/openclaw", headers: { connection: "upgrade", upgrade } });
      expect([answer.status, answer.json]).toMatchObject([200, { ok: true }]);
    }
  });

  it("ends by a frame when the process is asked to stop, and the listener with it", async () => {
    const { api, gateway } = await startBoth();
    const client = handshake(api.port);
    await client.head();
    const upstream = await gateway.connection();
    client.socket.write(connectFrame());
    await upstream.frame();
    api.draining.abort();
    const drained = api.server.drain(60_000);
    expect(await client.closeCode()).toBe(CLOSE_CODE.serviceRestart);
    client.socket.end();
    await drained;
  });

  it("is cut when the listener is closed", async () => {
    const { api } = await startBoth();
    const client = handshake(api.port);
    await client.head();
    const closed = once(client.socket.resume(), "close");
    await api.server.close();
    await closed;
  });
});
