/** Longest end of line twice, in bytes. */
const TAIL_BYTES = 4;

/** Tells whether a stream of server-sent events stands between two events, where a comment does no harm. */
export class EventBoundary {
  #tail = Buffer.alloc(0);

  /** Takes note of bytes that were sent. */
  push(chunk: Uint8Array): void {
    const end = chunk.subarray(Math.max(0, chunk.length - TAIL_BYTES));
    this.#tail = Buffer.concat([this.#tail, end]).subarray(-TAIL_BYTES);
  }

  /** True before the first byte and after an empty line. */
  get isReached(): boolean {
    return this.#tail.length === 0 || this.#tail.toString("latin1").replace(/\r\n?/g, "\n").endsWith("\n\n");
  }
}
