import type { ServerResponse } from "node:http";
import { beginEvents, type ScriptedGateway, sendJson, startScriptedGateway } from "#api/testing/scripted-gateway.ts";

const EVERY_MS = 200;

/** A gateway whose every turn counts aloud, one event after the other, until it is told to finish. */
export interface CountingGateway extends AsyncDisposable {
  readonly origin: string;
  /** Ends all turns in good order. */
  finish(): void;
}

/** Starts one; everything but a turn is answered at once. */
export async function startCountingGateway(): Promise<CountingGateway> {
  const turns = new Set<ServerResponse>();
  const gateway: ScriptedGateway = await startScriptedGateway((request, response) => {
    if (request.path !== "/v1/responses") {
      return sendJson(response, 200, { ok: true, result: { content: [], details: { sessions: [] } } });
    }
    beginEvents(response);
    let count = 0;
    const timer = setInterval(() => response.write(`data: ${count++}\n\n`), EVERY_MS);
    turns.add(response);
    response.once("close", () => {
      clearInterval(timer);
      turns.delete(response);
    });
  });
  return {
    origin: gateway.origin,
    finish() {
      for (const turn of turns) turn.end("data: [DONE]\n\n");
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
