import { once } from "node:events";
import type { Socket } from "node:net";
import { FrameHeaderReader } from "../gateway-socket/frame-header.ts";
import { unmask } from "../gateway-socket/frames.ts";

/** A frame as a test looks at it, its payload unmasked. */
export interface SeenFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly isMasked: boolean;
  readonly payload: Buffer;
}

/** One end of a raw connection; reads only what it is asked for, so that it can be slow. */
export class Peer {
  readonly socket: Socket;
  /** All that was taken so far. */
  received = Buffer.alloc(0);
  /** Came together with what was asked for. */
  #pending = Buffer.alloc(0);
  #error: Error | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", (error) => {
      this.#error = error;
    });
  }

  /** Exactly so many bytes. Rejects when the connection ends before. */
  async bytes(count: number): Promise<Buffer> {
    while (this.#pending.length < count) {
      if (await this.#pull()) continue;
      throw new Error(`the connection ended, received: ${this.received.toString("latin1")}`);
    }
    return this.#take(count);
  }

  /** Bytes up to and with an empty line. */
  async head(): Promise<string> {
    let head = "";
    while (!head.endsWith("\r\n\r\n")) head += (await this.bytes(1)).toString("latin1");
    return head;
  }

  /** The next frame. */
  async frame(): Promise<SeenFrame> {
    const header = new FrameHeaderReader();
    while (!header.isComplete) header.read(await this.bytes(1), 0);
    const payload = Buffer.from(await this.bytes(header.payloadLength));
    const { opcode, isFinal, isMasked } = header;
    return { opcode, isFinal, isMasked, payload: isMasked ? unmask(payload, header.mask, 0) : payload };
  }

  /** The next frame's payload as JSON. */
  async json(): Promise<unknown> {
    return JSON.parse((await this.frame()).payload.toString("utf8"));
  }

  /** The next frame as a close frame: its code. */
  async closeCode(): Promise<number> {
    const { opcode, payload } = await this.frame();
    if (opcode !== 8) throw new Error(`expected a close frame, got ${opcode}: ${payload.toString("latin1")}`);
    return payload.readUInt16BE(0);
  }

  /** All that still comes, until the other end is done. */
  async rest(): Promise<Buffer> {
    while (await this.#pull());
    return this.#take(this.#pending.length);
  }

  /** Resolves when the other end is done; what still comes is dropped. */
  async gone(): Promise<void> {
    while (await this.#pull()) this.#pending = Buffer.alloc(0);
    this.socket.destroy();
  }

  /** Waits for bytes; false = there will be none. */
  async #pull(): Promise<boolean> {
    for (;;) {
      const chunk: Buffer | null = this.socket.read();
      if (chunk) {
        this.#pending = Buffer.concat([this.#pending, chunk]);
        return true;
      }
      if (this.socket.readableEnded || this.socket.destroyed || this.#error) return false;
      const stop = new AbortController();
      const heard = ["readable", "end", "close", "error"].map((event) =>
        once(this.socket, event, { signal: stop.signal }).catch(() => undefined),
      );
      await Promise.race(heard);
      stop.abort();
    }
  }

  #take(count: number): Buffer {
    const taken = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(count);
    this.received = Buffer.concat([this.received, taken]);
    return taken;
  }
}
