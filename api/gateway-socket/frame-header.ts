/** What a frame of RFC 6455 is. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Why a connection is ended, as the other end reads it. */
export const CLOSE_CODE = {
  protocolError: 1002,
  invalidPayload: 1007,
  policyViolation: 1008,
  tooBig: 1009,
  serviceRestart: 1012,
} as const;

/** One of {@link CLOSE_CODE}. */
export type CloseCode = (typeof CLOSE_CODE)[keyof typeof CLOSE_CODE];

/** Two bytes, eight more of length, four of mask. */
const LONGEST_HEADER = 14;

/** Reads the header of one frame after the other from bytes that come in any pieces. Keeps nothing of a payload. */
export class FrameHeaderReader {
  readonly #bytes = Buffer.alloc(LONGEST_HEADER);
  #have = 0;

  /** Takes what belongs to the header from `chunk`, beginning at `from`; answers where it stopped. */
  read(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && !this.isComplete) this.#bytes[this.#have++] = chunk[at++] ?? 0;
    return at;
  }

  /** True when the whole header was read; what follows in the stream is its payload. */
  get isComplete(): boolean {
    return this.#have >= 2 && this.#have === this.#size;
  }

  /** True between two frames. */
  get isEmpty(): boolean {
    return this.#have === 0;
  }

  /** Ready for the next frame. */
  reset(): void {
    this.#have = 0;
  }

  /** The bytes of the header, for passing it on as it came. */
  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#have));
  }

  get isFinal(): boolean {
    return (this.#first & 0x80) !== 0;
  }

  /** True when an extension nobody agreed on marks the frame. */
  get hasReservedBits(): boolean {
    return (this.#first & 0x70) !== 0;
  }

  get opcode(): number {
    return this.#first & 0x0f;
  }

  get isMasked(): boolean {
    return (this.#second & 0x80) !== 0;
  }

  /** Bytes of the payload. Beyond 2^53 it is only about right, and too much for anyone. */
  get payloadLength(): number {
    const short = this.#second & 0x7f;
    if (short === 126) return this.#bytes.readUInt16BE(2);
    if (short === 127) return this.#bytes.readUInt32BE(2) * 2 ** 32 + this.#bytes.readUInt32BE(6);
    return short;
  }

  /** The four bytes a client's payload is combined with; a view that the next frame overwrites. */
  get mask(): Buffer {
    return this.#bytes.subarray(this.#size - 4, this.#size);
  }

  get #first(): number {
    return this.#bytes[0] ?? 0;
  }

  get #second(): number {
    return this.#bytes[1] ?? 0;
  }

  get #size(): number {
    const short = this.#second & 0x7f;
    return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (this.isMasked ? 4 : 0);
  }
}
