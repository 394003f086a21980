import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Clock, systemClock } from "#lib/clock.ts";
import { answerChat, type ChatContext, sendJson } from "./chat.ts";
import { errorBody } from "./dialect.ts";
import { type ModelStats, type SeenRequest, StatsKeeper } from "./stats.ts";

/** The one model the simulator lists; it answers to any name. */
export const SIMULATED_MODEL = "simulated-1";

/** How to start a simulator. */
export interface SimulatorOptions {
  /** TCP port; 0 (default) takes a free one. */
  port?: number;
  /** Address to listen on; loopback by default. */
  host?: string;
  /** When set, every request but `/stats` and `/healthz` must carry it as a Bearer credential. */
  apiKey?: string | undefined;
  clock?: Clock;
}

/** A running simulated model provider. */
export interface ModelSimulator {
  /** Base URL for OpenAI clients, ending in `/v1`. */
  url: string;
  port: number;
  stats(): ModelStats;
  /** Resolves when the counts are as wanted. */
  when(wanted: (stats: ModelStats) => boolean, signal?: AbortSignal): Promise<ModelStats>;
  /** Cuts what is open and stops. */
  close(): Promise<void>;
}

interface Context extends ChatContext {
  apiKey: string | undefined;
}

/** Starts a model provider that speaks OpenAI's chat completions; directives in the last message steer it. */
export async function startModelSimulator(options: SimulatorOptions = {}): Promise<ModelSimulator> {
  const { port = 0, host = "127.0.0.1", apiKey, clock = systemClock } = options;
  const keeper = new StatsKeeper();
  let sequence = 0;
  const context: Context = { apiKey, clock, keeper, nextId: () => `chatcmpl-sim-${++sequence}` };
  const server = createServer((req, res) => {
    answer(context, req, res).catch((error: unknown) => {
      if (res.headersSent || res.destroyed) res.destroy();
      else sendJson(res, 500, errorBody(String(error), "server_error", "simulator_failed"));
    });
  });
  // A slow answer is this server's business: no limit of its own may cut it.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("the simulator has no TCP address");
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    port: address.port,
    stats: () => keeper.read(),
    when: (wanted, signal) => keeper.when(wanted, signal),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function answer(context: Context, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { pathname: path, searchParams } = new URL(req.url ?? "/", "http://simulator");
  if (path === "/healthz") return sendJson(res, 200, { ok: true });
  if (path === "/stats") return answerStats(context.keeper, searchParams, res);
  const credential = judgeCredential(context.apiKey, req.headers.authorization);
  if (context.apiKey !== undefined && credential !== "expected") {
    context.keeper.update((stats) => stats.unauthorized++);
    return sendJson(res, 401, errorBody("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"));
  }
  if (req.method === "GET" && path === "/v1/models")
    return sendJson(res, 200, {
      object: "list",
      data: [{ id: SIMULATED_MODEL, object: "model", owned_by: "hatchery" }],
    });
  if (req.method === "POST" && path === "/v1/chat/completions") return answerChat(context, req, res, credential);
  return sendJson(res, 404, errorBody(`No ${req.method} ${path} here.`, "invalid_request_error", "not_found"));
}

/** `/stats` at once; `/stats?aborted=3` when three calls were aborted (likewise `total`), so that nobody has to poll. */
async function answerStats(keeper: StatsKeeper, atLeast: URLSearchParams, res: ServerResponse): Promise<void> {
  const left = new AbortController();
  res.once("close", () => left.abort(new Error("the client left")));
  const stats = await keeper.when(
    (now) => now.total >= Number(atLeast.get("total")) && now.aborted >= Number(atLeast.get("aborted")),
    left.signal,
  );
  sendJson(res, 200, stats);
}

function judgeCredential(expected: string | undefined, header: string | undefined): SeenRequest["credential"] {
  if (header === undefined) return "missing";
  return expected !== undefined && header === `Bearer ${expected}` ? "expected" : "wrong";
}
