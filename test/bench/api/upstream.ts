import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { createAlarm, now } from "../kit/alarm.ts";
import { READ_PATH, readScenario, renderEvent, type Scenario, TAKEN_PATH, TURN_PATH } from "./scenario.ts";

/*
 * All gateways in one process: answers on every address of 127.0.0.0/8, to whoever asks. What is measured are proxies, so that this
 * does as little as it can.
 */

const MODELS = JSON.stringify({
  object: "list",
  data: ["openclaw", "openclaw/default", "openclaw/main"].map((id) => ({
    id,
    object: "model",
    created: 1_767_225_600,
    owned_by: "openclaw",
    permission: [],
  })),
});
const MODELS_HEADERS = { "content-type": "application/json; charset=utf-8", "content-length": MODELS.length };
const EVENT_HEADERS = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
const FLOOD_PIECE = Buffer.from(`: ${"x".repeat(65_532)}\n\n`);

/** Streams with a rate, and when the next event of each is due. */
const streams = new Set<{ res: ServerResponse; everyMs: number; due: number }>();
let takenBytes = 0;

const alarm = createAlarm(() => {
  const at = now();
  for (const stream of streams) {
    // An event that is late is late; none is left out.
    for (; stream.due <= at; stream.due += stream.everyMs) stream.res.write(renderEvent(now()));
  }
  setAlarm();
});

function setAlarm(): void {
  let next = Number.POSITIVE_INFINITY;
  for (const { due } of streams) next = Math.min(next, due);
  if (Number.isFinite(next)) alarm.set(next);
}

async function answerTurn(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const scenario: Scenario = readScenario(await text(req));
  res.writeHead(200, EVENT_HEADERS);
  if (scenario.kind === "flood") return flood(res, scenario.bytes);
  const event = renderEvent(now());
  if (scenario.kind === "once") return void res.end(event);
  res.write(event);
  if (scenario.kind === "quiet") return;
  const everyMs = 1000 / scenario.perSecond;
  // Each stream has its own beat, as gateways of different people have.
  const stream = { res, everyMs, due: now() + Math.random() * everyMs };
  streams.add(stream);
  res.once("close", () => streams.delete(stream));
  setAlarm();
}

async function flood(res: ServerResponse, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes && !res.destroyed; sent += FLOOD_PIECE.length) {
    const flushed = res.write(FLOOD_PIECE);
    takenBytes += FLOOD_PIECE.length;
    if (!flushed) await Promise.race([once(res, "drain"), once(res, "close")]);
  }
  res.end();
}

const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (req, res) => {
  if (req.url === READ_PATH) res.writeHead(200, MODELS_HEADERS).end(MODELS);
  else if (req.url === TAKEN_PATH) res.end(String(takenBytes));
  else if (req.url === TURN_PATH) {
    answerTurn(req, res).catch((error: unknown) => res.writeHead(500).end(String(error)));
  } else res.writeHead(404).end();
});
server.listen({ port: Number(process.argv[2]), host: "0.0.0.0", backlog: 4096 });
