import type { IncomingMessage, ServerResponse } from "node:http";

const NEWLINE = 0x0a;

/** The state of the wire to the client. */
export interface Wire {
  /** Nothing comes back any more on this request's connection. */
  isFrozen(request: IncomingMessage): boolean;
  /** Resolves when watches are not held back. */
  watchesFlow(): Promise<void>;
}

/** Passes a body on. With `cutLine` the connection is reset in the middle of that line (from 1). */
export async function relay(
  body: AsyncIterable<Buffer>,
  response: ServerResponse,
  wire: Wire,
  o: { isWatch: boolean; cutLine?: number | undefined },
): Promise<void> {
  let line = 1;
  for await (const chunk of body) {
    if (o.isWatch) await wire.watchesFlow();
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
