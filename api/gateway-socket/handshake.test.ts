import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { INTERNAL_KEY, PAGE } from "../testing/api-under-test.ts";
import { eventually } from "../testing/eventually.ts";
import { type SocketGateway, startSocketGateway } from "../testing/socket-gateway.ts";
import {
  ACCEPT,
  connectFrame,
  handshake,
  refusalOf,
  type SocketPassage,
  startSocketPassage,
} from "../testing/socket-passage.ts";
import { GATEWAY_SOCKET_PATH } from "./gateway-sockets.ts";
import { CREDENTIAL_PREFIX, SUBPROTOCOL } from "./subprotocol.ts";

const TOKEN = "token-of-alices-slot";
const NONE: Record<string, undefined> = { "x-oa-internal-key": undefined, "x-oa-user-id": undefined };
let api: SocketPassage;
let alice: SocketGateway;
let bob: SocketGateway;

beforeAll(async () => {
  api = await startSocketPassage({ maxStreams: 3 });
});

afterAll(() => api[Symbol.asyncDispose]());

beforeEach(async () => {
  alice = await startSocketGateway(TOKEN);
  bob = await startSocketGateway("token-of-bobs-slot");
  api.gateways.set("human:alice", { origin: alice.origin, token: TOKEN });
  api.gateways.set("human:bob", { origin: bob.origin, token: "token-of-bobs-slot" });
  return async () => {
    await alice[Symbol.asyncDispose]();
    await bob[Symbol.asyncDispose]();
  };
});

const credential = (user: string) => CREDENTIAL_PREFIX + Buffer.from(`token-of-${user}`).toString("base64url");
const counted = (name: string) => api.registry.getSingleMetricAsString(name);

describe("a handshake", () => {
  it("is answered once the gateway proved itself, and the gateway sees nothing of the client's", async () => {
    const hostile = {
      cookie: "a=b",
      authorization: "Bearer token-of-bob",
      "x-api-key": "oa_live_x",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-user": "bob",
      "x-openclaw-scopes": "operator.admin",
      "x-real-ip": "127.0.0.1",
      forwarded: "for=127.0.0.1",
      "tailscale-user-login": "bob",
      "sec-websocket-extensions": "permessage-deflate",
      "sec-websocket-protocol": "openclaw-extension-relay",
      "user-agent": "OpenClaw/1",
      referer: "http://bob",
      origin: PAGE,
    };
    const client = handshake(api.port, { path: `${GATEWAY_SOCKET_PATH}?token=x`, headers: hostile });
    expect(await client.head()).toBe(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${ACCEPT}\r\n` +
        "x-request-id: request-1\r\n\r\n",
    );
    expect(bob.seen).toEqual([]);
    const host = new URL(alice.origin).host;
    expect(alice.seen).toEqual([
      {
        method: "GET",
        path: "/v1/models",
        headers: {
          accept: "application/json",
          authorization: `Bearer ${TOKEN}`,
          "x-request-id": "request-1",
          host,
          connection: "keep-alive",
        },
      },
      {
        method: "GET",
        path: "/",
        headers: {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
          "x-request-id": "request-1",
          // The page was judged by us; the gateway knows no page but its own.
          origin: alice.origin,
          host,
        },
      },
    ]);
    client.socket.destroy();
  });

  it("without an origin is no browser's, also for the gateway", async () => {
    const client = handshake(api.port);
    await client.head();
    expect(alice.seen[1]?.headers).not.toHaveProperty("origin");
    client.socket.destroy();
  });

  it("may bring its credential as a subprotocol, which is never repeated", async () => {
    const protocol = `${SUBPROTOCOL}, ${credential("alice")}`;
    const client = handshake(api.port, { user: null, headers: { origin: PAGE, "sec-websocket-protocol": protocol } });
    const head = await client.head();
    expect(head).toContain(`\r\nsec-websocket-protocol: ${SUBPROTOCOL}\r\n`);
    expect(head).not.toContain(CREDENTIAL_PREFIX);
    expect(JSON.stringify(alice.seen)).not.toContain(CREDENTIAL_PREFIX);
    expect(JSON.stringify(alice.seen)).not.toContain('token-of-alice"');
    client.socket.destroy();
  });

  it("of another protocol or path stays an ordinary request", async () => {
    for (const headers of [{ upgrade: "h2c" }, { upgrade: undefined, connection: "close" }]) {
      const client = handshake(api.port, { headers });
      expect(await client.head()).toMatch(/^HTTP\/1\.1 418 /);
      client.socket.destroy();
    }
    const client = handshake(api.port, { path: "/api/openclaw/gateway/x" });
    expect(await client.head()).toMatch(/^HTTP\/1\.1 418 /);
    client.socket.destroy();
  });
});

describe("a handshake is refused before anybody is dialled", () => {
  type Headers = Record<string, string | undefined>;
  it.each<[string, { user?: string | null; headers?: Headers }, number, string]>([
    ["without a credential", { user: null }, 401, "unauthorized"],
    ["with a wrong internal key", { headers: { "x-oa-internal-key": `${INTERNAL_KEY}x` } }, 401, "unauthorized"],
    ["with a guessed token", { user: null, headers: { authorization: "Bearer guess" } }, 401, "unauthorized"],
    [
      "with the gateway's own token",
      { user: null, headers: { authorization: `Bearer ${TOKEN}` } },
      401,
      "unauthorized",
    ],
    ["without a user", { headers: { "x-oa-user-id": undefined } }, 400, "missing_user_id"],
    ["of a user who may not", { user: "mallory" }, 403, "instance_forbidden"],
    ["of a page that is not on the list", { headers: { origin: "https://evil.example" } }, 403, "origin_not_allowed"],
    ["of a page beneath a listed one", { headers: { origin: `${PAGE}.evil.example` } }, 403, "origin_not_allowed"],
    ["of a listed page at another port", { headers: { origin: `${PAGE}:8443` } }, 403, "origin_not_allowed"],
    ["of a page without an origin of its own", { headers: { origin: "null" } }, 403, "origin_not_allowed"],
    ["with an empty origin", { headers: { origin: "" } }, 403, "origin_not_allowed"],
    [
      "of a stranger's page without a credential",
      { user: null, headers: { origin: "null" } },
      403,
      "origin_not_allowed",
    ],
    ["of an old version", { headers: { "sec-websocket-version": "8" } }, 426, "upgrade_required"],
    ["of no version", { headers: { "sec-websocket-version": undefined } }, 426, "upgrade_required"],
    ["without a key", { headers: { "sec-websocket-key": undefined } }, 400, "invalid_request"],
    ["with a short key", { headers: { "sec-websocket-key": "c2hvcnQ=" } }, 400, "invalid_request"],
    ["with a body", { headers: { "content-length": "5" } }, 400, "invalid_request"],
    ["with a body in chunks", { headers: { "transfer-encoding": "chunked" } }, 400, "invalid_request"],
    [
      "with a credential twice",
      {
        user: null,
        headers: {
          authorization: "Bearer token-of-alice",
          "sec-websocket-protocol": `${SUBPROTOCOL},${credential("bob")}`,
        },
      },
      400,
      "invalid_request",
    ],
    ["of somebody who has no instance", { user: "carol" }, 404, "instance_not_found"],
  ])("%s", async (_name, o, status, code) => {
    api.access.refused.add("mallory");
    const answer = await refusalOf(
      handshake(api.port, { ...o, headers: { ...(o.user === null ? NONE : {}), ...o.headers } }),
    );
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({
      ok: false,
      data: null,
      error: expect.stringMatching(status === 401 || code === "missing_user_id" ? /^\w/ : /^openclaw gateway\b/),
      code,
      requestId: expect.stringMatching(/^request-/),
    });
    expect(answer.head).toContain("\r\nconnection: close\r\n");
    expect(answer.head).toContain("\r\ncache-control: no-store\r\n");
    expect(answer.head.includes("\r\nupgrade: websocket\r\n")).toBe(status === 426);
    expect([...alice.seen, ...bob.seen]).toEqual([]);
  });

  it("when all of the tenant's places are taken, and only its own", async () => {
    const open = await Promise.all(
      [1, 2, 3].map(async () => {
        const client = handshake(api.port);
        await client.head();
        return client;
      }),
    );
    const seen = alice.seen.length;
    const answer = await refusalOf(handshake(api.port));
    expect([answer.status, answer.json]).toMatchObject([429, { code: "too_many_streams" }]);
    expect(answer.head).toContain("\r\nretry-after: 1\r\n");
    expect(alice.seen).toHaveLength(seen);
    const other = handshake(api.port, { user: "bob" });
    expect(await other.head()).toContain(" 101 ");
    expect(await counted("hatchery_proxy_open_streams")).toContain('{kind="ws"} 4');
    for (const { socket } of [...open, other]) socket.destroy();
    await eventually(() => counted("hatchery_proxy_open_streams")).toContain('{kind="ws"} 0');
    const again = handshake(api.port);
    expect(await again.head()).toContain(" 101 ");
    again.socket.destroy();
  });

  it("while who calls cannot be told", async () => {
    api.access.isDown = true;
    const answer = await refusalOf(handshake(api.port));
    api.access.isDown = false;
    expect([answer.status, answer.json]).toMatchObject([503, { code: "cluster_unavailable" }]);
    expect(alice.seen).toEqual([]);
  });
});

describe("a gateway that will not", () => {
  it("since another slot has its address: the client hears nothing of it, nor it of the client", async () => {
    api.gateways.set("human:alice", { origin: bob.origin, token: TOKEN });
    const frame = connectFrame({ deviceToken: "d".repeat(43) });
    const answer = await refusalOf(handshake(api.port, { after: frame }));
    expect([answer.status, answer.json]).toMatchObject([503, { code: "instance_moved" }]);
    expect(answer.head).toContain("\r\nretry-after: 2\r\n");
    expect(bob.seen.map(({ path }) => path)).toEqual(["/v1/models"]);
    expect(await counted("hatchery_proxy_upstream_errors_total")).toContain('{reason="moved"} 1');
  });

  it("since it is suspended", async () => {
    const error = { error: { message: "suspending", type: "service_unavailable" } };
    alice.onRequest((_req, res) => res.writeHead(503, { "retry-after": "7" }).end(JSON.stringify(error)));
    const answer = await refusalOf(handshake(api.port));
    expect([answer.status, answer.json]).toMatchObject([503, { code: "service_unavailable" }]);
    expect(answer.head).toContain("\r\nretry-after: 7\r\n");
  });

  it("since it has too many clients already", async () => {
    const text = "Too many unauthenticated sockets";
    alice.onUpgrade((_req, socket) =>
      socket.end(
        `HTTP/1.1 503 Service Unavailable\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`,
      ),
    );
    const answer = await refusalOf(handshake(api.port));
    expect([answer.status, answer.json]).toMatchObject([503, { code: "gateway_error" }]);
  });

  it.each<[string, string, number, string]>([
    ["since it is no WebSocket server", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 502, "gateway_error"],
    [
      "since it answers another handshake",
      `HTTP/1.1 101 X\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${ACCEPT}\r\n\r\n`,
      502,
      "gateway_error",
    ],
    ["since it breaks off", "", 502, "gateway_error"],
    ["since it speaks no HTTP", "SSH-2.0-x\r\n\r\n", 502, "gateway_error"],
  ])("%s", async (_name, bytes, status, code) => {
    alice.onUpgrade((_req, socket) => socket.end(bytes));
    const answer = await refusalOf(handshake(api.port));
    expect([answer.status, answer.json]).toMatchObject([status, { code }]);
    expect(JSON.stringify(answer)).not.toContain(TOKEN);
  });

  it("on a new connection in place of the one it proved itself on", async () => {
    alice.onRequest((_req, res) => res.writeHead(200, { connection: "close" }).end("{}"));
    const answer = await refusalOf(handshake(api.port));
    expect([answer.status, answer.json]).toMatchObject([502, { code: "gateway_error" }]);
    expect(alice.seen.map(({ path }) => path)).toEqual(["/v1/models"]);
  });

  it("but talks without end", async () => {
    alice.onRequest((_req, res) => res.writeHead(200).end(Buffer.alloc(70_000)));
    const answer = await refusalOf(handshake(api.port));
    expect([answer.status, answer.json]).toMatchObject([502, { code: "gateway_error" }]);
    expect(alice.seen).toHaveLength(1);
  });

  it("since nobody is there", async () => {
    await alice[Symbol.asyncDispose]();
    const answer = await refusalOf(handshake(api.port));
    expect([answer.status, answer.json]).toMatchObject([503, { code: "instance_unreachable" }]);
    expect(await counted("hatchery_api_requests_total")).toContain('route="/api/openclaw/gateway",code="503"');
  });
});
