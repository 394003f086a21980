import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "#lib/clock.ts";
import { ApiError } from "../errors.ts";
import type { ByteBudget, ByteShare } from "../limit/byte-budget.ts";
import { parseJson } from "./json.ts";

/** Longest time a client may take to send its body. */
const BODY_TIMEOUT_MS = 120_000;

/** Body limits, in bytes: the gateway's own. */
export const CHAT_BODY_BYTES = 20 * 1024 * 1024;
export const TOOL_BODY_BYTES = 2 * 1024 * 1024;
/** ... and of callers who need no credential: a few fields. */
export const PUBLIC_BODY_BYTES = 16 * 1024;

/** How a body is read. */
export interface BodyOptions {
  readonly clock: Clock;
  /** Where its bytes are counted, and as whose. */
  readonly budget: ByteBudget;
  readonly owner: string;
  readonly limitBytes: number;
  /** What no body stands for; without it, one is needed. */
  readonly emptyIs?: unknown;
}

/** A body that was read. */
export interface JsonBody {
  readonly value: unknown;
  /** Gives its bytes back to the budget, once nothing of it is held any more; the end of the answer does it anyway. */
  readonly release: () => void;
}

/**
 * The request's JSON body. Called by the handlers that need one, so that nothing is read for a request that is refused anyway;
 * Express's own parser would read a body over the limit to its end before it says so. Callers from the old days send JSON without
 * saying so: the content type is not looked at.
 * @throws ApiError 400 without a body, for a coded one and for what is no JSON or nested too deeply; 408 when it takes too long;
 * 413 over the limit; 429 when the owner or all together hold too much; 499 when the client has left.
 */
export async function readJsonBody(
  { req, res }: { req: IncomingMessage; res: ServerResponse },
  o: BodyOptions,
): Promise<JsonBody> {
  if ((req.headers["content-encoding"] ?? "identity") !== "identity") {
    throw invalid("content-encoding: only an uncoded body is understood");
  }
  // Nothing more would be heard of it: neither an end nor a close.
  if (req.destroyed) throw clientGone();
  const announced = Number(req.headers["content-length"] ?? 0);
  if (announced > o.limitBytes) throw tooLarge(o.limitBytes);
  const share = o.budget.open(o.owner);
  res.once("close", share.release);
  try {
    share.cover(announced);
    return { value: parse(await readBytes(req, share, o), o.emptyIs), release: share.release };
  } catch (error) {
    share.release();
    throw error;
  }
}

function parse(bytes: Buffer, emptyIs: unknown): unknown {
  if (bytes.length === 0) {
    if (emptyIs !== undefined) return emptyIs;
    throw invalid("body: missing request body");
  }
  try {
    return parseJson(bytes);
  } catch (error) {
    throw invalid(`body: ${(error as Error).message}`);
  }
}

/** Stops listening, not the stream, when it refuses: the rest of the body is discarded after the answer. */
function readBytes(req: IncomingMessage, share: ByteShare, { clock, limitBytes }: BodyOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (finish: () => void) => {
      cancel();
      req.off("data", take).off("end", end).off("close", broken);
      finish();
    };
    const take = (chunk: Buffer) => {
      try {
        size += chunk.length;
        if (size > limitBytes) throw tooLarge(limitBytes);
        share.cover(size);
        chunks.push(chunk);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const end = () => settle(() => resolve(Buffer.concat(chunks)));
    const broken = () => settle(() => reject(clientGone()));
    const late = () =>
      settle(() => reject(new ApiError("request_timeout", "the body took too long", { step: "validate" })));
    const cancel = clock.setTimer(late, BODY_TIMEOUT_MS);
    req.on("data", take).on("end", end).on("close", broken);
  });
}

function clientGone(): ApiError {
  return new ApiError("client_gone", "the client left");
}

function invalid(message: string): ApiError {
  return new ApiError("invalid_request", message, { step: "validate" });
}

function tooLarge(limitBytes: number): ApiError {
  return new ApiError("payload_too_large", `the body is over the limit of ${limitBytes} bytes`, { step: "validate" });
}
