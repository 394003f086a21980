import type { IncomingMessage, ServerResponse } from "node:http";
import express, { type Express } from "express";
import type { Dispatcher } from "undici";
import type { Clock } from "#lib/clock.ts";
import { type KeyRing, verifyModelKey } from "#lib/keys.ts";
import type { Logger } from "#lib/log.ts";
import { readJsonBody } from "../http/body.ts";
import type { ByteBudget } from "../limit/byte-budget.ts";
import type { OpenStreams } from "../limit/open-streams.ts";
import { outgoingJson } from "../proxy/outgoing-body.ts";
import { answerError } from "./answer-error.ts";
import { type CallHandler, type CallNotes, keepNotes } from "./call-notes.ts";
import type { ModelCatalog } from "./catalog.ts";
import { parseChatRequest, providerBody, wantsUsage } from "./chat-request.ts";
import type { Provider } from "./config.ts";
import { type ForwardedCall, forwardCall } from "./forward.ts";
import { OpenAIError } from "./openai-error.ts";
import type { UsageMetrics } from "./usage-metrics.ts";

/** A conversation with pictures is large: OpenClaw takes 20 MB from its clients and sends more than it took. */
const BODY_LIMIT = 25 * 1024 * 1024;
const CATALOG_RETRY_SECONDS = 5;
/** Names repeated to a client that asked for an unknown model. */
const MAX_NAMES_TOLD = 20;

/** What the app works with. */
export interface AppOptions {
  readonly keyRing: KeyRing;
  readonly catalog: ModelCatalog;
  readonly providers: ReadonlyMap<string, Provider>;
  /** Connections to the providers. */
  readonly dispatcher: Dispatcher;
  readonly metrics: UsageMetrics;
  /** Open calls of each slot. */
  readonly calls: OpenStreams;
  /** Bytes of request bodies that may be held at a time. */
  readonly bodies: ByteBudget;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes the id of a call, sent back as `x-request-id`. */
  readonly newId: () => string;
}

/** The model gateway's HTTP surface: OpenAI's chat completions and model list, for holders of a virtual model key. */
export function createModelGatewayApp(options: AppOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(keepNotes(options), authenticate(options.keyRing), requireCatalog(options.catalog));
  app.get("/v1/models", (_req, res) => {
    res.json({ object: "list", data: options.catalog.names().map(describeModel) });
  });
  app.post("/v1/chat/completions", limitCalls(options.calls), completeChat(options));
  app.use((req) => {
    throw new OpenAIError(404, "not_found", `there is no ${req.method} ${req.path} here`);
  });
  app.use(answerError);
  return app;
}

function describeModel(id: string): object {
  return { id, object: "model", created: 0, owned_by: "hatchery" };
}

function authenticate(keyRing: KeyRing): CallHandler {
  return (req, res, next) => {
    const [, key = ""] = /^Bearer +(\S+) *$/i.exec(req.headers.authorization ?? "") ?? [];
    const slot = verifyModelKey(keyRing, key);
    if (!slot) {
      const headers = { "www-authenticate": "Bearer" };
      throw new OpenAIError(401, "invalid_api_key", "the model key is missing or not valid", { headers });
    }
    res.locals.notes.slot = slot;
    next();
  };
}

function requireCatalog(catalog: ModelCatalog): CallHandler {
  return (_req, _res, next) => {
    if (catalog.hasSynced) return next();
    const headers = { "retry-after": String(CATALOG_RETRY_SECONDS) };
    const text = "the list of models could not be read from the cluster yet";
    throw new OpenAIError(503, "models_unavailable", text, { headers });
  };
}

function limitCalls(calls: OpenStreams): CallHandler {
  return (_req, res, next) => {
    res.once("close", calls.acquire(res.locals.notes.slot));
    next();
  };
}

function completeChat(options: AppOptions): CallHandler {
  return async (req, res) => {
    const call = await prepareCall(options, req, res);
    const { notes } = res.locals;
    await forwardCall({
      ...call,
      dispatcher: options.dispatcher,
      path: "/chat/completions",
      headers: req.headers,
      res,
      onAnswer: () => options.metrics.answerSeconds.observe((options.clock.monotonic() - notes.startMs) / 1000),
      onRefusal: (note) => {
        notes.failure = note;
      },
      onUsage: (usage) => {
        notes.usage = usage;
      },
    });
  };
}

/** A place of its own: what the handler itself holds stays in memory until the answer is over, and the request is large. */
async function prepareCall(
  options: AppOptions,
  req: IncomingMessage,
  res: ServerResponse & { locals: { notes: CallNotes } },
): Promise<Pick<ForwardedCall, "provider" | "body" | "dropUsageChunk">> {
  const { notes } = res.locals;
  const limits = { clock: options.clock, budget: options.bodies, owner: notes.slot, limitBytes: BODY_LIMIT };
  const { value, release } = await readJsonBody({ req, res }, limits);
  const request = parseChatRequest(value);
  const target = options.catalog.find(request.model);
  if (!target) throw modelNotFound(request.model, options.catalog.names());
  notes.model = request.model;
  const provider = options.providers.get(target.provider);
  if (!provider) {
    const text = `model ${request.model} is served by provider ${target.provider}, which is not configured here`;
    throw new OpenAIError(502, "provider_not_configured", text);
  }
  const body = outgoingJson(providerBody(request, target.providerModel), release);
  return { provider, body, dropUsageChunk: !wantsUsage(request) };
}

function modelNotFound(name: string, known: readonly string[]): OpenAIError {
  const told = known.slice(0, MAX_NAMES_TOLD).join(", ") || "none";
  const more = known.length > MAX_NAMES_TOLD ? ` and ${known.length - MAX_NAMES_TOLD} more` : "";
  const text = `there is no model ${JSON.stringify(name.slice(0, 200))}; known models: ${told}${more}`;
  return new OpenAIError(404, "model_not_found", text, { param: "model" });
}
