import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, sleep } from "#lib/clock.ts";
import type { GatewaySockets } from "./gateway-socket/gateway-sockets.ts";

/** Longest wait for a request's head. */
const HEADERS_TIMEOUT_MS = 60_000;
/** Above the idle limits of load balancers, so that they close idle connections, never we under a request. */
const KEEP_ALIVE_MS = 75_000;

/** The public listener. */
export interface ApiServer {
  /** Starts listening; answers the port (of interest when it was 0). @throws Error when the port cannot be had. */
  listen(): Promise<{ port: number }>;
  /** Stops accepting, lets open answers end within `graceMs`, then cuts what is left. Resolves when nothing is open. */
  drain(graceMs: number): Promise<void>;
  /** Stops accepting and cuts whatever is open. */
  close(): Promise<void>;
}

/** A listener with the limits that streams need: none on a whole request or answer, which may last as long as a turn. */
export function createApiServer(
  app: RequestListener,
  o: { port: number; host?: string; clock: Clock; sockets?: GatewaySockets },
): ApiServer {
  const { sockets } = o;
  const options = {
    requestTimeout: 0,
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Without this every request that offers some other protocol would be taken for a handshake.
    shouldUpgradeCallback: (req: IncomingMessage) => sockets?.wants(req) ?? false,
  };
  const server = createServer(options, app);
  /** What has become a WebSocket is no connection of the server's any more. */
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (req, socket, head) => {
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    sockets?.accept(req, socket, head);
  });
  const cutAll = () => {
    server.closeAllConnections();
    for (const socket of upgraded) socket.destroy();
  };
  let draining = false;
  server.on("request", (_req, res: ServerResponse) => {
    // A kept-alive connection whose answer ended after the drain began would stay open with nothing to do.
    res.once("close", () => {
      if (draining) setImmediate(() => server.closeIdleConnections());
    });
  });
  return {
    listen: () => listen(server, o.port, o.host),
    async drain(graceMs) {
      draining = true;
      const closed = stopAccepting(server);
      const done = new AbortController();
      const cut = sleep(o.clock, graceMs, done.signal).then(cutAll);
      await closed;
      done.abort();
      await cut;
    },
    async close() {
      const closed = stopAccepting(server);
      cutAll();
      await closed;
    },
  };
}

function stopAccepting(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function listen(server: Server, port: number, host: string | undefined): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new Error(`the API cannot listen on port ${port}: ${cause.message}`, { cause }));
    });
    server.listen({ port, host }, () => resolve({ port: (server.address() as AddressInfo).port }));
  });
}
