import type { Response } from "express";
import type { Fault } from "../error-mapper.ts";
import { DO_NOT_RETRY, mayHaveRun } from "../proxy/headers.ts";
import { openAiErrorType } from "./openai-error-type.ts";

/** Which shape errors have on a path: our envelope, or OpenAI's for SDKs. */
export type Surface = "api" | "openai";

/** The surface of a path, known or not. */
export function surfaceOf(path: string): Surface {
  return path === "/v1" || path.startsWith("/v1/") ? "openai" : "api";
}

/** Answers `{ok: true, data, error: null, requestId}`; 202 says that nothing was done yet. */
export function sendData(res: Response, data: unknown, requestId: string, status: 200 | 202 = 200): void {
  // Without a value the field would be missing.
  res.status(status).json({ ok: true, data: data ?? null, error: null, requestId });
}

/** Answers an error in the surface's shape; `operation` opens the text as `openclaw <operation> <step>: `. */
export function sendFault(
  res: Response,
  fault: Fault,
  where: { surface: Surface; requestId: string; operation?: string | undefined },
): void {
  if (fault.retryAfterSeconds !== undefined) res.set("retry-after", String(Math.ceil(fault.retryAfterSeconds)));
  // Of the schemes, the one that has a registered name (RFC 9110, 11.6.1).
  if (fault.status === 401) res.set("www-authenticate", 'Bearer realm="hatchery"');
  res.status(fault.status);
  if (where.surface === "openai") sendOpenAiError(res, fault);
  else res.json(faultBody(fault, where));
}

/** The envelope of an error; `operation` opens the text as `openclaw <operation> <step>: `. */
export function faultBody(
  fault: Fault,
  { requestId, operation }: { requestId: string; operation?: string | undefined },
): object {
  return { ok: false, data: null, error: textOf(fault, operation), code: fault.code, requestId };
}

function textOf(fault: Fault, operation: string | undefined): string {
  if (!operation) return fault.message;
  return `openclaw ${operation}${fault.step ? ` ${fault.step}` : ""}: ${fault.message}`;
}

function sendOpenAiError(res: Response, fault: Fault): void {
  if (res.req.method === "POST" && mayHaveRun(fault.status)) res.set(DO_NOT_RETRY);
  res.json({ error: { message: fault.message, type: openAiErrorType(fault.status), param: null, code: fault.code } });
}
