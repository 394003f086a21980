import type { RequestHandler } from "express";
import { AGENT_KEY_HEADER, API_TOKEN_HEADER, INTERNAL_KEY_HEADER } from "../auth/credential-headers.ts";
import { USER_EMAIL_HEADER, USER_ID_HEADER } from "../auth/internal-key.ts";
import { OPENCLAW_HEADERS, SESSION_KEY_HEADER } from "../proxy/openclaw-headers.ts";

const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
/** Every header of a request that is read here or passed on. */
const REQUEST_HEADERS = [
  "authorization",
  "content-type",
  "if-none-match",
  API_TOKEN_HEADER,
  AGENT_KEY_HEADER,
  INTERNAL_KEY_HEADER,
  USER_ID_HEADER,
  USER_EMAIL_HEADER,
  "x-request-id",
  ...Object.keys(OPENCLAW_HEADERS),
].join(", ");
/** Headers of answers that pages may read, beside those that browsers let them read anyway. */
const ANSWER_HEADERS = ["x-request-id", "retry-after", SESSION_KEY_HEADER].join(", ");
/** How long a browser may go without asking again, seconds. */
const MAX_AGE = "86400";

/**
 * Lets pages of these origins call the API. Whether a page may read an answer is for its browser to enforce: calls from elsewhere
 * are answered like any other. Credentials are headers that a page has to know, so there is none for a browser to add by itself.
 */
export function cors(allowed: ReadonlySet<string>): RequestHandler {
  return (req, res, next) => {
    // Caches must not give one origin's answer to another.
    res.vary("origin");
    const { origin } = req.headers;
    if (origin === undefined || !allowed.has(origin)) return next();
    res.set("access-control-allow-origin", origin);
    if (req.method !== "OPTIONS" || req.headers["access-control-request-method"] === undefined) {
      res.set("access-control-expose-headers", ANSWER_HEADERS);
      return next();
    }
    res.locals.route = "preflight";
    res.set({
      "access-control-allow-methods": METHODS,
      "access-control-allow-headers": REQUEST_HEADERS,
      "access-control-max-age": MAX_AGE,
    });
    res.status(204).end();
  };
}
