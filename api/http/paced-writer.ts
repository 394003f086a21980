import type { ServerResponse } from "node:http";
import { Writable } from "node:stream";

/** What becomes of the bytes of a source on their way to a client. */
export interface Passage {
  /** What goes on to the client for these bytes. */
  readonly pass: (chunk: Buffer) => readonly Buffer[];
  /** What goes on to the client at the source's end. */
  readonly finish?: () => readonly Buffer[];
  /** Called when the source is over, whole or not; more than once at times. */
  readonly stop?: () => void;
}

/**
 * A way from a source to the client's response, at the pace of the slower. /!\ Hot path: each token of each chat passes here.
 *
 * An end of the source ends the response. An error leaves it as it is: whoever reports the error destroys the response then, so
 * that a cut answer never looks like a whole one. Fails when the client leaves, also while a write waits for it.
 */
export function pacedWriter(res: ServerResponse, { pass, finish, stop }: Passage): Writable {
  let waiting: ((error?: Error) => void) | undefined;
  const proceed = (error?: Error) => {
    const done = waiting;
    waiting = undefined;
    done?.(error);
  };
  const resume = () => proceed();
  const leave = () => proceed(res.writableFinished ? undefined : clientLeft());
  const send = (pieces: readonly Buffer[]) => pieces.map((piece) => res.write(piece)).every((flushed) => flushed);
  res.on("drain", resume).once("close", leave);
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (res.destroyed) return done(clientLeft());
      if (send(pass(chunk))) return done();
      waiting = done;
    },
    final(done) {
      stop?.();
      if (res.destroyed) return done(clientLeft());
      if (finish) send(finish());
      res.off("drain", resume);
      waiting = done;
      res.end(() => proceed());
    },
    destroy(error, done) {
      stop?.();
      res.off("drain", resume).off("close", leave);
      done(error);
    },
  });
}

function clientLeft(): Error {
  return new Error("the client left");
}
