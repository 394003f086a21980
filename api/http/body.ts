import type { IncomingMessage } from "node:http";
import type { Clock } from "#lib/clock.ts";
import { ApiError } from "../errors.ts";
import type { PublicCall } from "./call.ts";

/** Longest time a client may take to send its body. */
const BODY_TIMEOUT_MS = 120_000;

/** Body limits, in bytes: the gateway's own. */
export const CHAT_BODY_BYTES = 20 * 1024 * 1024;
export const TOOL_BODY_BYTES = 2 * 1024 * 1024;

/**
 * The request's JSON body. Called by the handlers that need one, so that nothing is read for a request that is refused anyway;
 * Express's own parser would read a body over the limit to its end before it says so. Callers from the old days send JSON without
 * saying so: the content type is not looked at.
 * @throws ApiError 400 without a body, for a coded one and for what is no JSON; 408 when it takes too long; 413 over the limit.
 */
export async function readJsonBody({ req }: PublicCall, clock: Clock, limitBytes: number): Promise<unknown> {
  if ((req.headers["content-encoding"] ?? "identity") !== "identity") {
    throw invalid("content-encoding: only an uncoded body is understood");
  }
  if (Number(req.headers["content-length"] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  const bytes = await readBytes(req, clock, limitBytes);
  if (bytes.length === 0) throw invalid("body: missing request body");
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // The parser's message repeats a piece of the body, which is nobody's business in a log.
    throw invalid("body: not valid JSON");
  }
}

/** Stops listening, not the stream, when it refuses: the rest of the body is discarded after the answer. */
function readBytes(req: IncomingMessage, clock: Clock, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (finish: () => void) => {
      cancel();
      req.off("data", take).off("end", end).off("close", broken);
      finish();
    };
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) settle(() => reject(tooLarge(limitBytes)));
      else chunks.push(chunk);
    };
    const end = () => settle(() => resolve(Buffer.concat(chunks)));
    const broken = () => settle(() => reject(new ApiError("client_gone", "the client left")));
    const late = () =>
      settle(() => reject(new ApiError("request_timeout", "the body took too long", { step: "validate" })));
    const cancel = clock.setTimer(late, BODY_TIMEOUT_MS);
    req.on("data", take).on("end", end).on("close", broken);
  });
}

function invalid(message: string): ApiError {
  return new ApiError("invalid_request", message, { step: "validate" });
}

function tooLarge(limitBytes: number): ApiError {
  return new ApiError("payload_too_large", `the body is over the limit of ${limitBytes} bytes`, { step: "validate" });
}
