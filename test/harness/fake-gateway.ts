import { once } from "node:events";
import { createServer } from "node:http";

/** Something that answers at a pod's address as an OpenClaw gateway does: to its token, and to no other. */
export interface FakeGateway {
  /** How many calls came in, refused ones too. */
  readonly calls: number;
  close(): Promise<void>;
}

/** Serves `GET /v1/models` at a loopback address to whoever has the token. */
export async function startFakeGateway(o: { address: string; port: number; token: string }): Promise<FakeGateway> {
  let calls = 0;
  const server = createServer((request, response) => {
    calls++;
    const known = request.headers.authorization === `Bearer ${o.token}`;
    response.writeHead(known ? 200 : 401, { "content-type": "application/json" });
    response.end(known ? '{"object":"list","data":[]}' : '{"error":{"type":"unauthorized"}}');
  });
  server.listen(o.port, o.address);
  await once(server, "listening");
  return {
    get calls() {
      return calls;
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
