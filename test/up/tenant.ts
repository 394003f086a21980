import { request } from "undici";
import { readTurn } from "./turn.ts";

/** A running Hatchery as a first-party server sees it. */
export interface Api {
  /** Base URL without a trailing slash. */
  readonly url: string;
  readonly internalKey: string;
}

/** The API answered something else than success; carries its own words. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;

  constructor(status: number, text: string) {
    super(`the API answered ${status}: ${text}`);
    this.status = status;
  }
}

const credentials = (api: Api, user: string) => ({ "x-oa-internal-key": api.internalKey, "x-oa-user-id": user });

/**
 * Creates the user's OpenClaw (or finds it) and waits until it is ready.
 * @throws ApiError when it does not become ready within `waitSeconds` (at most 120).
 */
export async function createInstance(api: Api, user: string, waitSeconds = 120): Promise<string> {
  const response = await request(`${api.url}/api/openclaw/instance?wait=${waitSeconds}`, {
    method: "POST",
    headers: { ...credentials(api, user), "content-type": "application/json" },
    body: "{}",
    headersTimeout: (waitSeconds + 30) * 1000,
  });
  const text = await response.body.text();
  if (response.statusCode !== 200) throw new ApiError(response.statusCode, text);
  const { data } = JSON.parse(text) as { data: { status: string; runtime_name: string; message?: string } };
  if (data.status !== "ready")
    throw new ApiError(response.statusCode, `${data.status}: ${data.message ?? "no reason given"}`);
  return data.runtime_name;
}

/**
 * Sends one message and yields the text of the reply piece by piece, as it arrives.
 * @throws ApiError when the API refuses, Error when the turn fails or breaks off.
 */
export async function* streamChat(api: Api, user: string, message: string, sessionKey: string): AsyncGenerator<string> {
  const response = await request(`${api.url}/api/openclaw/chat`, {
    method: "POST",
    headers: { ...credentials(api, user), "content-type": "application/json", "x-openclaw-session-key": sessionKey },
    body: JSON.stringify({ model: "openclaw", stream: true, input: message }),
    headersTimeout: 300_000,
    bodyTimeout: 300_000,
  });
  if (response.statusCode !== 200) throw new ApiError(response.statusCode, await response.body.text());
  yield* readTurn(response.body.setEncoding("utf8") as AsyncIterable<string>);
}
