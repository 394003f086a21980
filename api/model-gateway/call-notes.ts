import type { ErrorRequestHandler, RequestHandler } from "express";
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { Usage } from "./usage.ts";
import type { UsageMetrics } from "./usage-metrics.ts";

/** What is known of a call so far; whoever learns something writes it here, the counters and the log line are made of it. */
export interface CallNotes {
  readonly id: string;
  readonly startMs: number;
  /** Slot that the key proved, else empty. */
  slot: string;
  /** `<class>/<model>` once it is known to exist, else empty. */
  model: string;
  usage?: Usage;
  /** The failure on our side of the call, with its cause. */
  failure?: Error;
  /** Status to count for an answer that began well and was cut; the one sent says nothing of it. */
  cutStatus?: number;
}

type Locals = { notes: CallNotes };
type Params = Record<string, string>;
/** A handler of requests whose response carries the notes of the call. */
export type CallHandler = RequestHandler<Params, unknown, unknown, unknown, Locals>;
/** A handler of errors on such a response. */
export type CallErrorHandler = ErrorRequestHandler<Params, unknown, unknown, unknown, Locals>;

/** Status to count for a client that left before the end, as nginx has it. */
const CLIENT_LEFT = 499;
const MAX_CAUSES = 4;

/** Opens the notes of every call; counts and logs it when it is over, however it ends. */
export function keepNotes(o: {
  metrics: UsageMetrics;
  clock: Clock;
  log: Logger;
  newId: () => string;
}): RequestHandler {
  return (_req, res, next) => {
    const notes: CallNotes = { id: o.newId(), startMs: o.clock.monotonic(), slot: "", model: "" };
    res.locals.notes = notes;
    res.set({ "x-request-id": notes.id, "cache-control": "no-store" });
    o.metrics.openCalls.inc();
    res.once("close", () => {
      o.metrics.openCalls.dec();
      const { id, slot, model, usage, failure } = notes;
      const code = res.writableFinished ? res.statusCode : (notes.cutStatus ?? CLIENT_LEFT);
      o.metrics.count({ slot, model, code, usage });
      const facts = { requestId: id, slot, model, code, ms: o.clock.monotonic() - notes.startMs, ...usage };
      o.log[failure ? "warn" : "info"]({ ...facts, ...(failure && { cause: describe(failure) }) }, "model call");
    });
    next();
  };
}

/** Names, codes and texts of an error and of what is behind it; never the error itself, which may hold a request with its headers. */
function describe(error: Error): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < MAX_CAUSES; at = at.cause) {
    parts.push(`${at.name}${"code" in at ? ` ${String(at.code)}` : ""}: ${at.message}`);
  }
  return parts.join(" <- ");
}
