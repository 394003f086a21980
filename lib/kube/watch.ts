import type { Readable } from "node:stream";
import type { Clock } from "#lib/clock.ts";
import { CLIENT_REASON, errorFromEvent, KubeError } from "./errors.ts";
import { networkError } from "./exchange.ts";
import { cutManagedFields } from "./managed-fields.ts";
import type { KubeObject, WatchEvent } from "./types.ts";

const NEWLINE = 0x0a;

/**
 * The lines of a stream of bytes, split at 0x0A alone: JSON may hold U+2028 and its like raw, and a character may straddle two
 * chunks. Ends with the stream.
 * @throws KubeError MalformedResponse when the stream ends inside a line.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pending: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      yield textOf(pending);
      pending = [];
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  if (pending.length > 0) {
    throw new KubeError("the watch ended in the middle of an event", { status: 0, reason: CLIENT_REASON.malformed });
  }
}

/** Nearly every line lies in one chunk, and need not be copied to be read. */
function textOf(parts: readonly Uint8Array[]): string {
  const [first] = parts;
  const bytes = parts.length === 1 && first ? first : Buffer.concat(parts);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

/** How a watch's stream is read. */
export interface ReadWatchOptions {
  /** The request in words, for errors. */
  what: string;
  /** Longest silence in milliseconds before the peer is taken for dead. */
  idleMs: number;
  clock: Clock;
  signal: AbortSignal;
}

/**
 * The events of a watch's body. Ends quietly when the server closed in good order or the signal aborted.
 * @throws KubeError for an in-stream ERROR, a line that is no event, a broken connection, or silence.
 */
export async function* readWatch<T extends KubeObject>(
  body: Readable,
  o: ReadWatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  let idle = false;
  let cancel = watchdog();

  function watchdog(): () => void {
    return o.clock.setTimer(() => {
      idle = true;
      body.destroy();
    }, o.idleMs);
  }

  try {
    for await (const line of splitLines(body)) {
      cancel();
      if (o.signal.aborted) return;
      yield parseEvent<T>(line, o.what);
      // Time a consumer takes is not silence of the server.
      cancel = watchdog();
    }
    if (idle) throw idleError(o);
  } catch (error) {
    if (o.signal.aborted) return;
    if (idle) throw idleError(o);
    throw error instanceof KubeError ? error : networkError(o.what, error);
  } finally {
    cancel();
    body.destroy();
  }
}

function idleError(o: ReadWatchOptions): KubeError {
  return new KubeError(`${o.what}: neither event nor bookmark for ${o.idleMs} ms`, {
    status: 0,
    reason: CLIENT_REASON.watchIdle,
  });
}

/** @throws KubeError when the line is no watch event, or is an ERROR. */
function parseEvent<T extends KubeObject>(line: string, what: string): WatchEvent<T> {
  let event: { type?: unknown; object?: { metadata?: unknown } };
  try {
    event = JSON.parse(cutManagedFields(line, ["object"]));
  } catch (error) {
    throw malformed(`${what}: a line of the watch is not JSON`, error);
  }
  const { type, object } = event ?? {};
  if (type === "ERROR") throw errorFromEvent(what, object ?? {});
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED" && type !== "BOOKMARK") {
    throw malformed(`${what}: a line of the watch is no event`);
  }
  if (typeof object?.metadata !== "object") throw malformed(`${what}: a ${type} event has no object`);
  return event as WatchEvent<T>;
}

function malformed(message: string, cause?: unknown): KubeError {
  return new KubeError(message, { status: 0, reason: CLIENT_REASON.malformed, cause });
}
