import type { Duplex } from "node:stream";
import type { Clock } from "#lib/clock.ts";
import { FrameBoundary } from "./frame-boundary.ts";
import type { CloseCode } from "./frame-header.ts";
import { closeFrame } from "./frames.ts";
import { OpeningError } from "./opening-reader.ts";

/** How long an end may take to read the rest and to hang up, once the other one is gone. */
const LINGER_MS = 5_000;

/** What becomes of a client's bytes until its opening is over. */
export interface OpeningStep {
  readonly toGateway: readonly Buffer[];
  readonly isOver: boolean;
}

/** Two sockets that speak WebSocket, and what is between them. */
export interface RelayOptions {
  readonly client: Duplex;
  readonly gateway: Duplex;
  /** What the gateway said already. */
  readonly gatewayHead: Buffer;
  /** What the client said already. */
  readonly clientHead: Buffer;
  readonly clock: Clock;
  /** Sees the client's bytes until it says that the opening is over; an OpeningError says how the connection is to be closed. */
  readonly open: (chunk: Buffer) => OpeningStep;
  /** Told of what `open` threw. */
  readonly onFault: (error: unknown) => void;
  readonly onBytes: (dir: "up" | "down", count: number) => void;
}

/** A connection that is being relayed. */
export interface Relay {
  /** Resolves when both sockets are closed. */
  readonly closed: Promise<void>;
  /** Ends the connection with a frame that says why, where a frame of the gateway's ends; cuts it if there is no such place soon. */
  close(code: CloseCode, reason: string): void;
}

/**
 * Joins two sockets byte for byte, each way at the pace of the slower end. /!\ Hot path: nothing is parsed but the headers of the
 * gateway's frames, nothing copied or held. An error of one end is one of the other: a cut connection never looks like an ended one.
 */
export function startRelay({ client, gateway, clock, ...o }: RelayOptions): Relay {
  const boundary = new FrameBoundary();
  const both = Promise.withResolvers<void>();
  let open = 2;
  let isOpening = true;
  let isEnding = false;
  /** What the client gets last; waits for the end of a frame. */
  let farewell: Buffer | undefined;
  let stopLinger: (() => void) | undefined;

  const destroy = () => {
    client.destroy();
    gateway.destroy();
  };
  const linger = () => {
    isEnding = true;
    stopLinger ??= clock.setTimer(destroy, LINGER_MS);
  };
  const sayFarewell = () => {
    gateway.off("data", down);
    linger();
    gateway.destroy();
    client.end(farewell);
  };

  function down(chunk: Buffer): void {
    const lastEnd = boundary.push(chunk);
    const passed = farewell && lastEnd >= 0 ? chunk.subarray(0, lastEnd) : chunk;
    o.onBytes("down", passed.length);
    if (!client.write(passed)) gateway.pause();
    if (farewell && lastEnd >= 0) sayFarewell();
  }

  function up(chunk: Buffer): void {
    if (!gateway.writable || farewell) return;
    o.onBytes("up", chunk.length);
    for (const piece of isOpening ? opening(chunk) : [chunk]) {
      if (!gateway.write(piece)) client.pause();
    }
  }

  function opening(chunk: Buffer): readonly Buffer[] {
    try {
      const { toGateway, isOver } = o.open(chunk);
      isOpening = !isOver;
      return toGateway;
    } catch (error) {
      if (error instanceof OpeningError) close(error.code, error.message, error.answer);
      else destroy();
      o.onFault(error);
      return [];
    }
  }

  function close(code: CloseCode, reason: string, answer?: Buffer): void {
    if (farewell || isEnding) return;
    farewell = Buffer.concat([...(answer ? [answer] : []), closeFrame(code, reason)]);
    if (boundary.isReached) sayFarewell();
    else stopLinger ??= clock.setTimer(destroy, LINGER_MS);
  }

  for (const [socket, other] of [
    [client, gateway],
    [gateway, client],
  ] as const) {
    socket.on("error", destroy);
    socket.on("drain", () => other.resume());
    socket.once("close", () => {
      if (!isEnding || socket === client) destroy();
      // What is left of a client's bytes has nowhere to go, and its end is only seen behind them.
      else client.resume();
      open -= 1;
      if (open > 0) return;
      stopLinger?.();
      both.resolve();
    });
  }
  // A client that has said all is not waiting for more; a gateway's last words are still on their way to the client.
  client.once("end", () => {
    linger();
    gateway.end(destroy);
  });
  gateway.once("end", () => {
    linger();
    client.end();
  });
  if (o.gatewayHead.length > 0) down(o.gatewayHead);
  if (o.clientHead.length > 0) up(o.clientHead);
  gateway.on("data", down);
  client.on("data", up);

  return { closed: both.promise, close };
}
