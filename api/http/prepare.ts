import type { RequestHandler, Response } from "express";
import type { ApiContext } from "../context.ts";
import { requestIdOf } from "./request-id.ts";

/** Methods told apart in metrics; a client can't make new label values. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Counted for a client that left before its answer was complete. */
const CLIENT_LEFT = 499;

/** How long the rest of a refused body may keep coming. */
const DISCARD_MS = 10_000;

/** What each request gets before it is routed: an id, headers that all answers have, and its place in metrics and log. */
export function prepare({ newId, clock, log, metrics, draining }: ApiContext): RequestHandler {
  // Its fields are ours, none of them a secret: to look for one took longer than to write the line.
  const answered = log.child({}, { redact: [] });
  return (req, res, next) => {
    const started = clock.monotonic();
    const requestId = requestIdOf(req.headers["x-request-id"], newId);
    res.setHeader("x-request-id", requestId);
    res.setHeader("cache-control", "no-store");
    res.setHeader("x-content-type-options", "nosniff");
    // Kept-alive connections move to another replica.
    if (draining.aborted) res.setHeader("connection", "close");
    res.once("close", () => {
      const route = typeof res.locals.route === "string" ? res.locals.route : "unknown";
      const method = METHODS.has(req.method) ? req.method : "other";
      const code = res.writableFinished ? res.statusCode : cutStatusOf(res);
      const ms = clock.monotonic() - started;
      metrics.requests.inc({ method, route, code });
      metrics.duration.observe({ method, route }, ms / 1000);
      const fields = { requestId, method, route, status: code, ms, complete: res.writableFinished };
      answered.info(fields, "answered");
      // The rest of a body nobody wanted is discarded, so that the client gets to read why; but not for ever.
      if (!req.complete && !req.destroyed) {
        req.once(
          "close",
          clock.setTimer(() => req.destroy(), DISCARD_MS),
        );
      }
    });
    next();
  };
}

/** The status of an answer that was not completed: of the failure that cut it off, else of a client that left. */
function cutStatusOf(res: Response): number {
  return typeof res.locals.cutStatus === "number" ? res.locals.cutStatus : CLIENT_LEFT;
}
