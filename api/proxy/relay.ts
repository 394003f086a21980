import type { ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import type { Clock } from "#lib/clock.ts";
import { EventBoundary } from "./event-boundary.ts";
import type { GatewayHeaders } from "./headers.ts";
import { HEARTBEAT, type Heartbeat, startHeartbeat } from "./heartbeat.ts";

/** What becomes of an answer's head. */
export type Verdict =
  /** The body goes to the client, whose head was written. */
  | "relay"
  /** The same, and it is a stream of events. */
  | "relay-events"
  /** The body is kept, for us to read. */
  | "read";

/** What a relay tells of. */
export interface RelayOptions {
  readonly clock: Clock;
  /** The gateway has the whole request. */
  readonly onSent: () => void;
  /** The head of the answer is there; for what goes to the client, writes the client's. */
  readonly onHead: (status: number, headers: GatewayHeaders) => Verdict;
  readonly onBytes: (count: number) => void;
}

type Controller = Dispatcher.DispatchController;

/** Of an error answer that we read instead of relaying it, this much is kept. */
const READ_BYTES = 64 * 1024;

/**
 * The way of one answer from the gateway to the client's response: byte for byte, at the pace of the slower, with heartbeats while a
 * stream of events is quiet. /!\ Hot path: each token of each chat passes here; nothing is parsed, copied or held.
 *
 * An end of the answer ends the response. An error leaves it as it is: whoever reports the error destroys the response then, so
 * that a cut answer never looks like a whole one. When the client leaves, the gateway's work is aborted.
 */
export class Relay implements Dispatcher.DispatchHandler {
  /** What was read of a body that does not go to the client. */
  text = "";
  /** Settles when the client has it all or nothing more will come; rejects with what undici says. */
  readonly done: Promise<void>;

  readonly #res: ServerResponse;
  readonly #options: RelayOptions;
  readonly #settle: PromiseWithResolvers<void>;
  #controller: Controller | undefined;
  #verdict: Verdict = "read";
  /** The first piece, until the end of the turn in which the head came. */
  #held: Buffer | undefined;
  #isHolding = false;
  #boundary: EventBoundary | undefined;
  #heartbeat: Heartbeat | undefined;

  constructor(res: ServerResponse, options: RelayOptions) {
    this.#res = res;
    this.#options = options;
    this.#settle = Promise.withResolvers();
    this.done = this.#settle.promise;
    res.once("close", this.#onClose);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#res.destroyed) controller.abort(clientLeft());
  }

  onRequestSent(): void {
    this.#options.onSent();
  }

  onResponseStart(controller: Controller, status: number, headers: GatewayHeaders): void {
    if (status < 200 || controller.aborted) return;
    // They would stay as long as the answer lasts, and with them all that was read together with them.
    controller.rawHeaders = null;
    this.#verdict = this.#options.onHead(status, headers);
    if (this.#verdict === "read") return;
    // A first piece that is here already leaves together with the head, and with the end if that is here too; but the head waits
    // for neither.
    this.#isHolding = true;
    process.nextTick(release, this);
    if (this.#verdict === "relay-events") this.#watchEvents();
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    if (this.#verdict === "read") {
      if (this.text.length < READ_BYTES) this.text += chunk.toString("utf8");
      return;
    }
    this.#options.onBytes(chunk.length);
    if (this.#boundary) {
      this.#boundary.push(chunk);
      this.#heartbeat?.touch();
    }
    if (this.#isHolding && !this.#held) this.#held = chunk;
    else {
      this.release();
      this.#write(chunk);
    }
  }

  onResponseEnd(): void {
    this.#heartbeat?.stop();
    if (this.#verdict === "read") {
      this.#cleanUp();
      this.#settle.resolve();
    } else if (!this.#res.destroyed) {
      this.#isHolding = false;
      this.#res.end(this.#held);
    }
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    this.#cleanUp();
    this.#settle.reject(error);
  }

  /** Sends what was held back so far. */
  release(): void {
    if (!this.#isHolding) return;
    this.#isHolding = false;
    const held = this.#held;
    this.#held = undefined;
    if (held) this.#write(held);
    else if (!this.#res.destroyed) this.#res.flushHeaders();
  }

  #write(chunk: Buffer): void {
    if (this.#res.destroyed || this.#res.write(chunk)) return;
    this.#controller?.pause();
    this.#res.once("drain", () => this.#controller?.resume());
  }

  #watchEvents(): void {
    const res = this.#res;
    const boundary = new EventBoundary();
    this.#boundary = boundary;
    this.#heartbeat = startHeartbeat(this.#options.clock, () => {
      // A client that doesn't read has bytes waiting anyway.
      if (boundary.isReached && !res.writableNeedDrain) res.write(HEARTBEAT);
    });
  }

  /** The response is closed, by its end or by the client. */
  readonly #onClose = () => {
    this.#heartbeat?.stop();
    if (this.#res.writableFinished) return this.#settle.resolve();
    this.#controller?.abort(clientLeft());
    // After the last byte of the gateway nobody but us waits for the client.
    this.#settle.reject(clientLeft());
  };

  #cleanUp(): void {
    this.#heartbeat?.stop();
    this.#res.off("close", this.#onClose);
  }
}

function release(relay: Relay): void {
  relay.release();
}

function clientLeft(): Error {
  return new Error("the client left");
}
