import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";

/** Something that answers at a pod's address as an OpenClaw gateway does: to its token, and to no other. */
export interface FakeGateway {
  /** How many calls came in, refused ones too. */
  readonly calls: number;
  /** Whether a turn is running: a gateway that is to suspend waits for its end. */
  busy: boolean;
  /** Whether it takes no new work. */
  readonly suspended: boolean;
  close(): Promise<void>;
}

/** Serves `GET /v1/models` and the suspension by admin RPC, at a loopback address, to whoever has the token. */
export async function startFakeGateway(o: { address: string; port: number; token: string }): Promise<FakeGateway> {
  const state = { calls: 0, busy: false, suspended: false };
  const server = createServer((request, response) => {
    state.calls++;
    const known = request.headers.authorization === `Bearer ${o.token}`;
    const answer = (status: number, body: object) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (!known) return answer(401, { error: { type: "unauthorized" } });
    if (request.url !== "/api/v1/admin/rpc") return answer(200, { object: "list", data: [] });
    void readMethod(request).then((method) => answer(200, { id: "1", ok: true, payload: suspend(method) }));
  });

  function suspend(method: string): object {
    state.suspended = method === "gateway.suspend.prepare";
    if (!state.suspended) return { ok: true, status: "running", resumed: true };
    const lease = { suspensionId: "s-1", expiresAtMs: Date.now() + 120_000, blockers: [] };
    return state.busy
      ? { ...lease, status: "draining", retryAfterMs: 20_000, activeCount: 1 }
      : { ...lease, status: "ready", activeCount: 0 };
  }

  server.listen(o.port, o.address);
  await once(server, "listening");
  return Object.assign(state, {
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  });
}

async function readMethod(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return (JSON.parse(Buffer.concat(parts).toString()) as { method: string }).method;
}
