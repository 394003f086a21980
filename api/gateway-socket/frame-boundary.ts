import { FrameHeaderReader } from "./frame-header.ts";

/**
 * Follows a stream of frames by their headers alone, to tell where one ends and another could be put in. /!\ Hot path: each chunk of
 * each connection passes here; nothing is copied or held.
 */
export class FrameBoundary {
  readonly #header = new FrameHeaderReader();
  #payloadLeft = 0;

  /** Looks at the next bytes; answers how many of them come before the last end of a frame, -1 = no frame ends among them. */
  push(chunk: Buffer): number {
    let lastEnd = -1;
    let at = 0;
    while (at < chunk.length) {
      if (!this.#header.isComplete) {
        at = this.#header.read(chunk, at);
        if (!this.#header.isComplete) break;
        this.#payloadLeft = this.#header.payloadLength;
      }
      const taken = Math.min(this.#payloadLeft, chunk.length - at);
      at += taken;
      this.#payloadLeft -= taken;
      if (this.#payloadLeft > 0) break;
      this.#header.reset();
      lastEnd = at;
    }
    return lastEnd;
  }

  /** True when nothing of a frame is outstanding. */
  get isReached(): boolean {
    return this.#header.isEmpty;
  }
}
