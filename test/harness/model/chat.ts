import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, sleep } from "#lib/clock.ts";
import { type ChatRequest, chatRequestSchema, readConversation } from "./conversation.ts";
import {
  type AnswerHead,
  chunkEvent,
  completion,
  countUsage,
  DONE_EVENT,
  errorBody,
  toolCallDelta,
  usageEvent,
} from "./dialect.ts";
import { planReply, type Reply } from "./reply.ts";
import { type SeenRequest, type StatsKeeper, safeHeaders } from "./stats.ts";

/** What answers share. */
export interface ChatContext {
  clock: Clock;
  keeper: StatsKeeper;
  nextId: () => string;
}

/** Answers one `POST /v1/chat/completions`, however its message says. */
export async function answerChat(
  context: ChatContext,
  req: IncomingMessage,
  res: ServerResponse,
  credential: SeenRequest["credential"],
): Promise<void> {
  const text = await readText(req);
  const request = parseRequest(text);
  if (!request)
    return sendJson(res, 400, errorBody("The body is no chat request.", "invalid_request_error", "invalid_body"));
  context.keeper.update((stats) => {
    stats.total++;
    stats.active++;
    stats.last = {
      model: request.model,
      stream: request.stream === true,
      includeUsage: request.stream_options?.include_usage === true,
      credential,
      headers: safeHeaders(req.headers),
      bodyBytes: Buffer.byteLength(text),
    };
  });
  const gone = new AbortController();
  // Whatever ends the answer without `finished` was the client leaving.
  const finished = { value: false };
  res.once("close", () => {
    context.keeper.update((stats) => {
      stats.active--;
      if (!finished.value) stats.aborted++;
    });
    gone.abort();
  });
  const finish = () => {
    finished.value = true;
  };
  const outcome = planReply(readConversation(request.messages));
  if ("failStatus" in outcome) {
    finish();
    const { failStatus } = outcome;
    return sendJson(res, failStatus, errorBody(`simulated status ${failStatus}`, "server_error", "simulated"));
  }
  const { reply } = outcome;
  if (reply.ending === "hang-headers" || (reply.ending === "hang" && !request.stream)) return;
  const head = { id: context.nextId(), created: Math.floor(context.clock.now() / 1000), model: request.model };
  await (request.stream ? streamReply : sendReply)({ context, request, reply, head, res, gone: gone.signal, finish });
}

interface Answer {
  context: ChatContext;
  request: ChatRequest;
  reply: Reply;
  head: AnswerHead;
  res: ServerResponse;
  gone: AbortSignal;
  /** To be called before the simulator itself ends the answer. */
  finish: () => void;
}

async function sendReply({ context, request, reply, head, res, gone, finish }: Answer): Promise<void> {
  await sleep(context.clock, reply.intervalMs * reply.pieces.length, gone);
  if (gone.aborted) return;
  finish();
  if (reply.ending === "drop") res.destroy();
  else sendJson(res, 200, completion(head, reply, countUsage(request, reply)));
}

async function streamReply({ context, request, reply, head, res, gone, finish }: Answer): Promise<void> {
  res.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  await write(res, chunkEvent(head, { role: "assistant", content: "" }), gone);
  for (const [index, content] of reply.pieces.entries()) {
    if (index > 0 && reply.intervalMs > 0) await sleep(context.clock, reply.intervalMs, gone);
    await write(res, chunkEvent(head, { content }), gone);
    if (gone.aborted) return;
  }
  if (reply.ending === "hang") return;
  if (reply.ending === "drop") {
    finish();
    res.destroy();
    return;
  }
  if (reply.toolCall) await write(res, chunkEvent(head, toolCallDelta(head, reply.toolCall)), gone);
  await write(res, chunkEvent(head, {}, reply.finishReason), gone);
  if (request.stream_options?.include_usage) await write(res, usageEvent(head, countUsage(request, reply)), gone);
  if (gone.aborted) return;
  finish();
  res.end(DONE_EVENT);
}

/** Writes one event and waits until it has left this process, or the client has. */
function write(res: ServerResponse, event: string, gone: AbortSignal): Promise<void> {
  if (gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      gone.removeEventListener("abort", done);
      resolve();
    };
    gone.addEventListener("abort", done, { once: true });
    res.write(event, done);
  });
}

async function readText(req: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of req) parts.push(part as Buffer);
  return Buffer.concat(parts).toString("utf8");
}

function parseRequest(text: string): ChatRequest | undefined {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return undefined;
  }
  return chatRequestSchema.safeParse(body).data;
}

/** Sends a whole JSON answer. */
export function sendJson(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
