import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";
import type { Clock } from "#lib/clock.ts";
import { EventBoundary } from "./event-boundary.ts";
import { HEARTBEAT, startHeartbeat } from "./heartbeat.ts";

/**
 * A way from the gateway's body to the client's response, at the pace of the slower. /!\ Hot path: each token of each chat
 * passes here, so nothing is parsed, copied or held.
 *
 * An end of the source ends the response; an error destroys it, so that a cut answer never looks like a whole one.
 */
export function relayTo(
  res: ServerResponse,
  o: { clock: Clock; isEventStream: boolean; onBytes: (count: number) => void },
): Writable {
  const boundary = new EventBoundary();
  const heartbeat = o.isEventStream
    ? startHeartbeat(o.clock, () => {
        // A client that doesn't read has bytes waiting anyway.
        if (boundary.isReached && !res.writableNeedDrain) res.write(HEARTBEAT);
      })
    : undefined;
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      o.onBytes(chunk.length);
      if (heartbeat) {
        boundary.push(chunk);
        heartbeat.touch();
      }
      if (res.write(chunk)) done();
      else res.once("drain", done);
    },
    final(done) {
      heartbeat?.stop();
      res.end(done);
    },
    destroy(error, done) {
      heartbeat?.stop();
      if (!res.writableEnded) res.destroy();
      done(error);
    },
  });
}
