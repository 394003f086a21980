import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { ApiError } from "../errors.ts";
import { type Offer, readOffer } from "./subprotocol.ts";

/** RFC 6455: what a server combines a client's key with, to prove that it understood. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes as base64. */
const KEY = /^[A-Za-z0-9+/]{22}==$/;
const VERSION = "13";

/** A WebSocket handshake as far as we look at it. */
export interface UpgradeRequest extends Offer {
  readonly key: string;
  /** True when a page of a browser asks; its origin is on the list then. */
  readonly isFromBrowser: boolean;
}

/**
 * Checks a handshake before anybody is asked who sends it.
 * @throws ApiError 400, 426 for another version of the protocol, 403 for a page that is not on the list.
 */
export function readUpgradeRequest(req: IncomingMessage, allowedOrigins: ReadonlySet<string>): UpgradeRequest {
  const headers = req.headersDistinct;
  if (headers["sec-websocket-version"]?.join() !== VERSION) {
    throw new ApiError("upgrade_required", `expected a WebSocket of version ${VERSION}`, { step: "validate" });
  }
  const [key = "", ...more] = headers["sec-websocket-key"] ?? [];
  if (!KEY.test(key) || more.length > 0) throw invalid("Sec-WebSocket-Key: expected once, 16 bytes as base64");
  if (headers["content-length"] || headers["transfer-encoding"]) throw invalid("a WebSocket handshake has no body");
  return { key, isFromBrowser: checkOrigin(headers.origin, allowedOrigins), ...readOffer(headers) };
}

/** What answers a client's key. */
export function acceptOf(key: string): string {
  return createHash("sha1")
    .update(key + ACCEPT_SUFFIX)
    .digest("base64");
}

/** No origin = no browser. A page could otherwise use what its visitor's browser knows of us. */
function checkOrigin(origins: string[] | undefined, allowed: ReadonlySet<string>): boolean {
  if (!origins) return false;
  const [origin = "", ...more] = origins;
  if (more.length === 0 && allowed.has(origin.toLowerCase())) return true;
  throw new ApiError("origin_not_allowed", "this page's origin is not allowed here", { step: "origin" });
}

function invalid(message: string): ApiError {
  return new ApiError("invalid_request", message, { step: "validate" });
}
