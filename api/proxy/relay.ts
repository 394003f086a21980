import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";
import type { Clock } from "#lib/clock.ts";
import { EventBoundary } from "./event-boundary.ts";
import { HEARTBEAT, startHeartbeat } from "./heartbeat.ts";

/**
 * A way from the gateway's body to the client's response, at the pace of the slower. /!\ Hot path: each token of each chat
 * passes here, so nothing is parsed, copied or held.
 *
 * An end of the source ends the response. An error leaves it as it is: whoever reports the error destroys the response then, so
 * that a cut answer never looks like a whole one. Fails when the client leaves, also while a write waits for it.
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
  let waiting: ((error?: Error) => void) | undefined;
  const proceed = (error?: Error) => {
    const done = waiting;
    waiting = undefined;
    done?.(error);
  };
  const resume = () => proceed();
  const leave = () => proceed(res.writableFinished ? undefined : clientLeft());
  res.on("drain", resume).once("close", leave);
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (res.destroyed) return done(clientLeft());
      o.onBytes(chunk.length);
      if (heartbeat) {
        boundary.push(chunk);
        heartbeat.touch();
      }
      if (res.write(chunk)) return done();
      waiting = done;
    },
    final(done) {
      heartbeat?.stop();
      if (res.destroyed) return done(clientLeft());
      res.off("drain", resume);
      waiting = done;
      res.end(() => proceed());
    },
    destroy(error, done) {
      heartbeat?.stop();
      res.off("drain", resume).off("close", leave);
      done(error);
    },
  });
}

function clientLeft(): Error {
  return new Error("the client left");
}
