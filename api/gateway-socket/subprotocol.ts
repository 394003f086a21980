import type { DistinctHeaders } from "../auth/authenticator.ts";
import { ApiError } from "../errors.ts";

/** What a client speaks that offers subprotocols, as a browser that brings a credential has to. */
export const SUBPROTOCOL = "hatchery.gateway";
/** Begins the entry that carries a credential as base64url: a browser can set no header on a WebSocket, and a URL ends in logs. */
export const CREDENTIAL_PREFIX = "hatchery.bearer.";

const HEADER = "sec-websocket-protocol";
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const VISIBLE = /^[\x21-\x7e]+$/;

/** The offered subprotocols, without what was no offer but a credential. */
export interface Offer {
  /** Named in our answer; undefined when the client did not offer it. */
  readonly chosen: typeof SUBPROTOCOL | undefined;
  /** The request's headers with a credential of the offer where other clients have it: in `Authorization`. */
  readonly headers: DistinctHeaders;
}

/**
 * Reads the subprotocols that a client offers.
 * @throws ApiError 400 when the credential is malformed, given twice, or all that is offered.
 */
export function readOffer(headers: DistinctHeaders): Offer {
  const entries = (headers[HEADER] ?? []).flatMap((line) => line.split(",")).map((entry) => entry.trim());
  const chosen = entries.includes(SUBPROTOCOL) ? SUBPROTOCOL : undefined;
  const [credential, ...more] = entries.filter((entry) => entry.startsWith(CREDENTIAL_PREFIX));
  const { [HEADER]: _, ...others } = headers;
  if (credential === undefined) return { chosen, headers: others };
  if (more.length > 0 || headers.authorization) throw invalid("the credential was given more than once");
  // A browser ends the connection when none of its offers is chosen, and the credential must not be repeated.
  if (!chosen) throw invalid(`offer ${SUBPROTOCOL} beside the credential`);
  return { chosen, headers: { ...others, authorization: [`Bearer ${decode(credential)}`] } };
}

function decode(entry: string): string {
  const encoded = entry.slice(CREDENTIAL_PREFIX.length);
  const text = BASE64URL.test(encoded) ? Buffer.from(encoded, "base64url").toString("latin1") : "";
  if (!VISIBLE.test(text)) throw invalid(`expected a credential as base64url behind ${CREDENTIAL_PREFIX}`);
  return text;
}

function invalid(message: string): ApiError {
  return new ApiError("invalid_request", `Sec-WebSocket-Protocol: ${message}`, { step: "validate" });
}
