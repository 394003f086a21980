import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { Clock } from "#lib/clock.ts";
import { pacedWriter } from "../http/paced-writer.ts";
import { EventBoundary } from "./event-boundary.ts";
import { HEARTBEAT, startHeartbeat } from "./heartbeat.ts";

/**
 * A way from the gateway's body to the client's response, byte for byte, with heartbeats while a stream of events is quiet.
 * /!\ Hot path: nothing is parsed, copied or held.
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
  return pacedWriter(res, {
    pass(chunk) {
      o.onBytes(chunk.length);
      if (heartbeat) {
        boundary.push(chunk);
        heartbeat.touch();
      }
      return [chunk];
    },
    stop: () => heartbeat?.stop(),
  });
}
