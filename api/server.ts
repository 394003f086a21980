import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, sleep } from "#lib/clock.ts";

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
}

/** A listener with the limits that streams need: none on a whole request or answer, which may last as long as a turn. */
export function createApiServer(app: RequestListener, o: { port: number; host?: string; clock: Clock }): ApiServer {
  const options = { requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS };
  const server = createServer(options, app);
  return {
    listen: () => listen(server, o.port, o.host),
    async drain(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const done = new AbortController();
      const cut = sleep(o.clock, graceMs, done.signal).then(() => server.closeAllConnections());
      await closed;
      done.abort();
      await cut;
    },
  };
}

function listen(server: Server, port: number, host: string | undefined): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new Error(`the API cannot listen on port ${port}: ${cause.message}`, { cause }));
    });
    server.listen({ port, host }, () => resolve({ port: (server.address() as AddressInfo).port }));
  });
}
