import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import type { Logger } from "./log.ts";

/** Scrapers and kubelets send small requests and promptly; anything slower only holds a socket. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Says what is wrong with a dependency (for people, never a secret), or undefined while it is fine. */
export type Check = () => string | undefined;

/** The server that a process's operators talk to: `/livez`, `/readyz`, `/metrics`. */
export interface OpsServer {
  /** Starts listening; answers the port (of interest when it was 0). @throws Error when the port cannot be had. */
  listen(): Promise<{ port: number }>;
  /** Whether the process itself wants traffic; false until said otherwise. */
  setReady(ready: boolean): void;
  /** Stops listening and cuts what is still connected. */
  close(): Promise<void>;
}

/** Options of the ops server. */
export interface OpsServerOptions {
  /** 0 = any free port. */
  port: number;
  /** Default: all interfaces. */
  host?: string;
  registry: Registry;
  /** What readiness depends on, by the name shown in the answer. */
  checks: Readonly<Record<string, Check>>;
  /** Shown beside the checks; the process can do without for a while, so readiness does not depend on them. */
  notes?: Readonly<Record<string, Check>>;
  log: Logger;
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

/**
 * `/livez` answers 200 as long as the process answers at all; `/readyz` 200 or 503 with JSON that names each
 * dependency; `/metrics` the registry in Prometheus' text form.
 */
export function createOpsServer(o: OpsServerOptions): OpsServer {
  let state = "starting";
  const routes: Record<string, () => Answer | Promise<Answer>> = {
    "/livez": () => json(200, { status: "ok" }),
    "/readyz": () => readiness(state, o),
    "/metrics": async () => ({ status: 200, type: o.registry.contentType, body: await o.registry.metrics() }),
  };
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await route(request).catch((error: unknown) => {
      o.log.error({ err: error, path: request.url }, "ops server failed to answer");
      return json(500, { error: "internal error, see the log" });
    });
    response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
  }

  async function route(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    const handler = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!handler) return json(404, { error: `no such path; there are ${Object.keys(routes).join(", ")}` });
    if (request.method !== "GET" && request.method !== "HEAD") return json(405, { error: "only GET and HEAD" });
    return handler();
  }

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once("error", (cause) => {
          reject(new Error(`the ops server cannot listen on port ${o.port}: ${cause.message}`, { cause }));
        });
        server.listen({ port: o.port, host: o.host }, () => {
          const { port } = server.address() as AddressInfo;
          o.log.info({ port }, "ops server listens");
          resolve({ port });
        });
      }),
    setReady(ready) {
      state = ready ? "ok" : state === "starting" ? state : "stopping";
    },
    close: () =>
      new Promise((resolve) => {
        // The only error there is says that it was not listening.
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function readiness(process: string, { checks, notes = {}, log }: OpsServerOptions): Answer {
  const run = (all: Readonly<Record<string, Check>>) =>
    Object.fromEntries(Object.entries(all).map(([name, check]) => [name, runCheck(name, check, log)]));
  const decisive: Record<string, string> = { process, ...run(checks) };
  const ready = Object.values(decisive).every((result) => result === "ok");
  return json(ready ? 200 : 503, { ready, checks: { ...decisive, ...run(notes) } });
}

function runCheck(name: string, check: Check, log: Logger): string {
  try {
    return check() ?? "ok";
  } catch (error) {
    log.error({ err: error, check: name }, "a readiness check failed to run");
    return "the check itself failed, see the log";
  }
}

function json(status: number, body: object): Answer {
  return { status, type: "application/json", body: `${JSON.stringify(body)}\n` };
}
