import { request } from "undici";
import { PHASE } from "#crds/index.ts";
import { readTurn } from "#test/up/turn.ts";
import type { System } from "./system.ts";

/** No limit on a turn but the test's own. */
const PATIENCE_MS = 300_000;

/** An answer of the API, read whole. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** The body as JSON; undefined when it is none. */
  json: unknown;
}

/** What a call may carry. */
export interface CallOptions {
  /** A list is a header that comes several times. */
  headers?: Record<string, string | string[]>;
  body?: unknown;
  signal?: AbortSignal;
}

/** A piece of a streamed reply and when it came, in milliseconds since the process started. */
export interface Delta {
  text: string;
  atMs: number;
}

/** A person (or a first-party server on their behalf) in front of the API. */
export class User {
  readonly id: string;
  /** The headers that say who calls. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly #system: System;

  /** Comes by a first-party server, unless with `credentials` of their own. */
  constructor(system: System, id: string, credentials?: Readonly<Record<string, string>>) {
    this.#system = system;
    this.id = id;
    this.credentials = credentials ?? { "x-oa-internal-key": system.internalKey, "x-oa-user-id": id };
  }

  /** One call, its answer read whole. */
  async call(method: "GET" | "POST" | "DELETE", path: string, options: CallOptions = {}): Promise<Answer> {
    const response = await this.#open(method, path, options);
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, text, json: parseJson(text) };
  }

  /**
   * Makes sure the user's OpenClaw is there and waits until it is ready; answers the name its children have. A start that fails
   * is no end: on a machine that does much else at once OpenClaw may give up on itself, and is started again.
   */
  async ensureInstance(): Promise<string> {
    const { status, json, text } = await this.call("POST", "/api/openclaw/instance?wait=60");
    const name = (json as { data?: { runtime_name?: string } } | undefined)?.data?.runtime_name;
    if (status !== 200 || !name) throw new Error(`${this.id} has no instance: ${text}`);
    await this.#system.instanceUntil(name.replace(/^openclaw-/, ""), (found) => found.status?.phase === PHASE.Ready);
    return name;
  }

  /** Streams one turn of a session. */
  async *chat(input: string, session: string, options: CallOptions = {}): AsyncGenerator<Delta> {
    const headers = { "x-openclaw-session-key": session, ...options.headers };
    const body = { model: "openclaw", stream: true, input };
    const response = await this.#open("POST", "/api/openclaw/chat", { ...options, headers, body });
    if (response.statusCode !== 200) throw new Error(`chat: ${response.statusCode} ${await response.body.text()}`);
    const chunks = response.body.setEncoding("utf8") as AsyncIterable<string>;
    for await (const text of readTurn(chunks)) yield { text, atMs: performance.now() };
  }

  /** One turn of a session, the reply whole. */
  async say(input: string, session: string, options: CallOptions = {}): Promise<string> {
    let reply = "";
    for await (const delta of this.chat(input, session, options)) reply += delta.text;
    return reply;
  }

  #open(method: "GET" | "POST" | "DELETE", path: string, { headers, body, signal }: CallOptions) {
    return request(`${this.#system.apiUrl}${path}`, {
      method,
      headers: { ...this.credentials, ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
      headersTimeout: PATIENCE_MS,
      bodyTimeout: PATIENCE_MS,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
