import { Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { KubeError, WatchStreamError } from "./errors.ts";
import type { WatchEvent } from "./types.ts";
import { readWatch, splitLines } from "./watch.ts";

const clock = new ManualClock();
const options = () => ({ what: "watch of things", idleMs: 1_000, clock, signal: new AbortController().signal });

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const event = (note: string) => ({ type: "ADDED", object: { metadata: { name: "a" }, note } });

describe("splitLines", () => {
  it("gives the same lines however the bytes are cut, whatever characters they hold", async () => {
    const text = fc.string({ unit: fc.constantFrom("a", "é", "\u2028", "\u2029", "\u0085", "\r", "𝄞", '"') });
    await fc.assert(
      fc.asyncProperty(fc.array(text), fc.array(fc.nat({ max: 7 })), async (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        expect(await collect(splitLines(chunks(bytes, cuts)))).toEqual(lines);
      }),
    );
  });

  it("throws when the stream ends inside a line", async () => {
    await expect(collect(splitLines(Readable.from([Buffer.from("whole\nha")])))).rejects.toThrow("in the middle");
  });
});

describe("readWatch", () => {
  it("keeps an event that holds a raw line separator", async () => {
    const events = [event("one\u2028two"), event("three")];
    const body = Readable.from(events.map((one) => Buffer.from(`${JSON.stringify(one)}\n`)));
    expect(await collect(readWatch(body, options()))).toEqual(events);
  });

  it.each([
    ["not JSON", "is not JSON"],
    ['{"type":"SURPRISE","object":{"metadata":{}}}', "is no event"],
    ['{"type":"ADDED"}', "has no object"],
    ["null", "is no event"],
  ])("throws for the line %s and skips nothing", async (line, message) => {
    const reading = collect(readWatch(Readable.from([Buffer.from(`${line}\n`)]), options()));
    await expect(reading).rejects.toMatchObject({
      reason: "MalformedResponse",
      message: expect.stringContaining(message),
    });
  });

  it("throws what an ERROR event says", async () => {
    const status = { code: 410, reason: "Expired", message: "too old resource version" };
    const body = Readable.from([Buffer.from(`${JSON.stringify({ type: "ERROR", object: status })}\n`)]);
    const error = await collect(readWatch(body, options())).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(WatchStreamError);
    expect(error).toMatchObject({ status: 410, reason: "Expired" });
  });

  it("gives up on a silent peer, counting from the last event", async () => {
    const time = new ManualClock();
    const body = new Readable({ read: () => undefined });
    const seen: WatchEvent[] = [];
    const reading = (async () => {
      for await (const one of readWatch(body, { ...options(), clock: time })) seen.push(one);
    })();
    const outcome = reading.catch((caught: unknown) => caught);
    await time.advance(900);
    body.push(`${JSON.stringify(event("x"))}\n`);
    await time.advance(0);
    expect(seen).toHaveLength(1);
    await time.advance(900);
    expect(body.destroyed).toBe(false);
    await time.advance(200);
    expect(await outcome).toMatchObject({ status: 0, reason: "WatchIdle" });
    expect(await outcome).toBeInstanceOf(KubeError);
    expect(body.destroyed).toBe(true);
    expect(time.pending).toBe(0);
  });

  it("does not count the time a consumer takes as silence", async () => {
    const time = new ManualClock();
    const body = Readable.from([event("1"), event("2")].map((one) => Buffer.from(`${JSON.stringify(one)}\n`)));
    const reader = readWatch(body, { ...options(), clock: time });
    await reader.next();
    await time.advance(5_000);
    expect((await reader.next()).done).toBe(false);
    expect((await reader.next()).done).toBe(true);
    expect(time.pending).toBe(0);
  });
});

function chunks(bytes: Buffer, cuts: number[]): Readable {
  const parts: Buffer[] = [];
  let start = 0;
  for (const size of cuts) {
    if (start >= bytes.length) break;
    if (size > 0) parts.push(bytes.subarray(start, start + size));
    start += size;
  }
  if (start < bytes.length) parts.push(bytes.subarray(start));
  return Readable.from(parts, { objectMode: true });
}
