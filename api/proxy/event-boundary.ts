const CR = 0x0d;
const LF = 0x0a;

/** Tells whether a stream of server-sent events stands between two events, where a comment does no harm. */
export class EventBoundary {
  /** The last bytes that were sent, the last one lowest; four hold the longest end of line twice. */
  #tail = 0;
  #isEmpty = true;

  /** Takes note of bytes that were sent. */
  push(chunk: Uint8Array): void {
    const { length } = chunk;
    if (length === 0) return;
    this.#isEmpty = false;
    for (let at = Math.max(0, length - 4); at < length; at++) this.#tail = (this.#tail << 8) | (chunk[at] ?? 0);
  }

  /** True before the first byte and after an empty line. */
  get isReached(): boolean {
    if (this.#isEmpty) return true;
    const end = lengthOfLineEnd(this.#tail);
    return end > 0 && lengthOfLineEnd(this.#tail >>> (8 * end)) > 0;
  }
}

/** Bytes of the line's end that these bytes end with; 0 without one. */
function lengthOfLineEnd(tail: number): number {
  const last = tail & 0xff;
  if (last === CR) return 1;
  if (last !== LF) return 0;
  return ((tail >>> 8) & 0xff) === CR ? 2 : 1;
}
