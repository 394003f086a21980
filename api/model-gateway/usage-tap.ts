import { readUsage, type Usage } from "./usage.ts";

/** An event longer than this passes unread, so that a provider can't make us hold its whole answer. */
const MAX_EVENT_BYTES = 1024 * 1024;
/** A body without a stream is read for its usage up to this size, and passes on whatever its size. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Looks at an answer as it passes and tells the token usage it reports. */
export interface UsageTap {
  /** Takes the next bytes; answers what may go on to the client now. */
  feed(chunk: Buffer): Buffer[];
  /** The answer is over; answers what was still held back. */
  end(): Buffer[];
}

/** For a JSON answer: everything passes at once, the usage is read at the end. */
export class JsonUsageTap implements UsageTap {
  readonly #onUsage: (usage: Usage) => void;
  #body: Buffer[] = [];
  #bytes = 0;

  constructor(options: { onUsage: (usage: Usage) => void }) {
    this.#onUsage = options.onUsage;
  }

  feed(chunk: Buffer): Buffer[] {
    this.#bytes += chunk.length;
    if (this.#bytes <= MAX_BODY_BYTES) this.#body.push(chunk);
    else this.#body = [];
    return [chunk];
  }

  end(): Buffer[] {
    const found = readUsage(Buffer.concat(this.#body).toString("utf8"));
    if (found) this.#onUsage(found.usage);
    return [];
  }
}

/**
 * For server-sent events: each passes byte for byte as soon as it is whole. With `dropUsageChunk` the extra chunk that carries nothing
 * but usage is left out, for a client that did not ask for it.
 */
export class EventUsageTap implements UsageTap {
  readonly #onUsage: (usage: Usage) => void;
  readonly #dropUsageChunk: boolean;
  /** The event that has not ended yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** True while an overlong event passes unread. */
  #unread = false;
  /** True while the current line has no byte yet; a newline then ends the event. */
  #lineEmpty = true;

  constructor(options: { onUsage: (usage: Usage) => void; dropUsageChunk: boolean }) {
    this.#onUsage = options.onUsage;
    this.#dropUsageChunk = options.dropUsageChunk;
  }

  feed(chunk: Buffer): Buffer[] {
    const out: Buffer[] = [];
    let eventStart = 0;
    let lineStart = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline >= 0; newline = chunk.indexOf(NEWLINE, lineStart)) {
      const lineEmpty = this.#lineEmpty && isBlank(chunk, lineStart, newline);
      lineStart = newline + 1;
      this.#lineEmpty = true;
      if (!lineEmpty) continue;
      this.#hold(chunk.subarray(eventStart, lineStart), out);
      this.#endEvent(out);
      eventStart = lineStart;
    }
    this.#lineEmpty &&= isBlank(chunk, lineStart, chunk.length);
    this.#hold(chunk.subarray(eventStart), out);
    return out;
  }

  end(): Buffer[] {
    const out: Buffer[] = [];
    this.#endEvent(out);
    return out;
  }

  #hold(bytes: Buffer, out: Buffer[]): void {
    if (bytes.length === 0) return;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes > MAX_EVENT_BYTES) this.#unread = true;
    if (this.#unread) this.#release(out);
  }

  #endEvent(out: Buffer[]): void {
    if (this.#pending.length > 0 && this.#isForUsOnly(Buffer.concat(this.#pending).toString("utf8")))
      this.#pending = [];
    this.#release(out);
    this.#unread = false;
  }

  #release(out: Buffer[]): void {
    out.push(...this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  /** Notes the usage in an event; true when the event must not reach the client. */
  #isForUsOnly(event: string): boolean {
    const data = event
      .split("\n")
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice("data:".length))
      .join("\n");
    const found = readUsage(data);
    if (!found) return false;
    this.#onUsage(found.usage);
    return found.only && this.#dropUsageChunk;
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  return end === start || (end === start + 1 && bytes[start] === RETURN);
}
