import type { IncomingMessage, ServerResponse } from "node:http";

/** OpenClaw's answer to a gateway method. */
export interface Dispatched {
  ok: boolean;
  payload?: unknown;
  error?: { code: string; message: string; [detail: string]: unknown };
}

/** OpenClaw's in-process call of a gateway method; `timeoutMs` bounds the wait for its answer. */
export type Dispatch = (method: string, params: unknown, options: { timeoutMs?: number }) => Promise<Dispatched>;

/** Largest request body in bytes, that of the gateway's own chat endpoints. */
export const MAX_BODY_BYTES: number;

/**
 * Answers one RPC request: `{ok: true, payload}` or `{ok: false, error: {code, message}}`. 400, 405 and 413 for a request
 * that is none; otherwise the status follows the code of OpenClaw's error. Rejects never.
 */
export function serveRpc(
  request: IncomingMessage,
  response: ServerResponse,
  dispatch: Dispatch,
  limits?: { maxBodyBytes?: number },
): Promise<void>;
