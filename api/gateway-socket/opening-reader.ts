import { CLOSE_CODE, type CloseCode, FrameHeaderReader, OPCODE } from "./frame-header.ts";
import { unmask } from "./frames.ts";

/** Largest first message. The gateway takes 64 KiB, and what is put into the message must fit too. */
export const MAX_OPENING_BYTES = 65_000;
/** Frames until the first message is whole, pings and pieces included. */
const MAX_FRAMES = 64;
/** Longest payload of a control frame. */
const MAX_CONTROL_BYTES = 125;

/** Why a client's first bytes are no beginning of a conversation: how the connection is to be closed. */
export class OpeningError extends Error {
  override name = "OpeningError";
  readonly code: CloseCode;
  /** A frame that answers the client before the one that closes. */
  readonly answer: Buffer | undefined;

  constructor(code: CloseCode, reason: string, answer?: Buffer) {
    super(reason);
    this.code = code;
    this.answer = answer;
  }
}

/** What came of some bytes of the client. */
export interface Opening {
  /** Control frames, byte for byte, which may come before and within the first message. */
  readonly passed: readonly Buffer[];
  /** The first message, unmasked and put together; undefined = more is to come. */
  readonly message?: Buffer;
  /** What came behind the first message. */
  readonly rest?: Buffer;
}

/** Reads a client's frames until its first message is whole, from bytes that come in any pieces, and holds that message alone. */
export class OpeningReader {
  readonly #header = new FrameHeaderReader();
  /** Of the frame that is being read: its payload, and how much of it is there. */
  #payload = Buffer.alloc(0);
  #filled = 0;
  readonly #pieces: Buffer[] = [];
  #messageBytes = 0;
  #frames = 0;

  /** @throws OpeningError when this is no opening; the reader is of no use then. */
  push(chunk: Buffer): Opening {
    const passed: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (!this.#header.isComplete) {
        at = this.#header.read(chunk, at);
        if (!this.#header.isComplete) break;
        this.#begin();
      }
      const taken = chunk.copy(this.#payload, this.#filled, at);
      at += taken;
      this.#filled += taken;
      if (this.#filled < this.#payload.length) break;
      const message = this.#end(passed);
      if (message) return { passed, message, rest: chunk.subarray(at) };
    }
    return { passed };
  }

  #begin(): void {
    this.#frames += 1;
    this.#check();
    this.#payload = Buffer.alloc(this.#header.payloadLength);
    this.#filled = 0;
  }

  #check(): void {
    const { opcode, isFinal, isMasked, hasReservedBits, payloadLength } = this.#header;
    if (!isMasked) throw new OpeningError(CLOSE_CODE.protocolError, "a client's frames are masked");
    if (hasReservedBits) throw new OpeningError(CLOSE_CODE.protocolError, "no extension was agreed on");
    if (this.#frames > MAX_FRAMES) throw new OpeningError(CLOSE_CODE.policyViolation, "too many frames before connect");
    if (isControl(opcode)) {
      if (isFinal && payloadLength <= MAX_CONTROL_BYTES) return;
      throw new OpeningError(CLOSE_CODE.protocolError, "a control frame is whole and short");
    }
    const begins = opcode === OPCODE.text || opcode === OPCODE.binary;
    if (!begins && opcode !== OPCODE.continuation) throw new OpeningError(CLOSE_CODE.protocolError, "unknown frame");
    if (begins === this.#isWithinMessage) throw new OpeningError(CLOSE_CODE.protocolError, "pieces out of order");
    if (this.#messageBytes + payloadLength > MAX_OPENING_BYTES) {
      throw new OpeningError(CLOSE_CODE.tooBig, `the first message is over the limit of ${MAX_OPENING_BYTES} bytes`);
    }
  }

  /** Ends a frame; answers the message when this was the last piece of it. */
  #end(passed: Buffer[]): Buffer | undefined {
    const { opcode, isFinal, mask } = this.#header;
    if (isControl(opcode)) passed.push(Buffer.concat([this.#header.bytes(), this.#payload]));
    else {
      this.#pieces.push(unmask(this.#payload, mask, 0));
      this.#messageBytes += this.#payload.length;
    }
    this.#header.reset();
    return isFinal && !isControl(opcode) ? Buffer.concat(this.#pieces) : undefined;
  }

  get #isWithinMessage(): boolean {
    return this.#pieces.length > 0;
  }
}

function isControl(opcode: number): boolean {
  return opcode === OPCODE.close || opcode === OPCODE.ping || opcode === OPCODE.pong;
}
