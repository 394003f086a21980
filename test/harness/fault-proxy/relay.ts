import type { IncomingMessage, ServerResponse } from "node:http";
import type { SeenRequest } from "./fault.ts";
import type { WatchShape } from "./watch-shape.ts";

const NEWLINE = 0x0a;

/** The state of the wire to the client. */
export interface Wire {
  /** Nothing comes back any more on this request's connection. */
  isFrozen(request: IncomingMessage): boolean;
  /** Resolves when this watch is not held back. */
  watchesFlow(request: SeenRequest): Promise<void>;
  /** What becomes of the events of watches that begin now. */
  readonly shape: WatchShape | undefined;
}

/** Passes the events of a watch on as a shape says. */
export async function relayShaped(
  body: AsyncIterable<Buffer>,
  response: ServerResponse,
  shape: WatchShape,
): Promise<void> {
  const events = shape((line) => {
    if (!response.destroyed) response.write(line);
  });
  let rest = Buffer.alloc(0);
  try {
    for await (const chunk of body) {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
        events.line(rest.subarray(0, end + 1));
        rest = rest.subarray(end + 1);
      }
    }
    response.end();
  } finally {
    events.end();
  }
}

/** Passes a body on. With `cutLine` the connection is reset in the middle of that line (from 1). */
export async function relay(
  body: AsyncIterable<Buffer>,
  response: ServerResponse,
  wire: Wire,
  o: { seen: SeenRequest; cutLine?: number | undefined },
): Promise<void> {
  let line = 1;
  for await (const chunk of body) {
    if (o.seen.isWatch) await wire.watchesFlow(o.seen);
    const cut = o.cutLine === undefined ? undefined : cutAt(chunk, o.cutLine - line);
    const silent = wire.isFrozen(response.req);
    if (cut !== undefined) {
      // What was written must leave before the reset, or the client sees none of it.
      await new Promise((resolve) => response.write(chunk.subarray(0, cut), resolve));
      response.socket?.resetAndDestroy();
      return;
    }
    if (!silent) response.write(chunk);
    line += countLines(chunk);
  }
  if (!wire.isFrozen(response.req)) response.end();
}

function countLines(chunk: Buffer): number {
  return chunk.reduce((lines, byte) => lines + (byte === NEWLINE ? 1 : 0), 0);
}

/** Where in a chunk to cut so that the line after `skip` whole ones stays unfinished; undefined = not in this chunk. */
function cutAt(chunk: Buffer, skip: number): number | undefined {
  let start = 0;
  for (let left = skip; left > 0; left--) {
    const end = chunk.indexOf(NEWLINE, start);
    if (end < 0) return undefined;
    start = end + 1;
  }
  return start < chunk.length ? start + Math.ceil((chunk.length - start) / 2) : undefined;
}
