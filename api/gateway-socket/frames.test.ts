import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameBoundary } from "./frame-boundary.ts";
import { CLOSE_CODE, OPCODE } from "./frame-header.ts";
import { closeFrame, encodeFrame, MAX_PAYLOAD_BYTES, unmask } from "./frames.ts";
import { MAX_OPENING_BYTES, OpeningError, OpeningReader } from "./opening-reader.ts";

const MASK = Buffer.of(0x37, 0xfa, 0x21, 0x3d);

/** A frame by hand, of any length and first byte. */
function frame(first: number, payload: Buffer, mask?: Buffer): Buffer {
  const { length } = payload;
  const wide = Buffer.alloc(length > 65_535 ? 8 : length > 125 ? 2 : 0);
  if (wide.length === 8) wide.writeBigUInt64BE(BigInt(length));
  if (wide.length === 2) wide.writeUInt16BE(length);
  const short = wide.length === 8 ? 127 : wide.length === 2 ? 126 : length;
  const body = mask ? unmask(Buffer.from(payload), mask, 0) : payload;
  return Buffer.concat([Buffer.of(first, short | (mask ? 0x80 : 0)), wide, mask ?? Buffer.of(), body]);
}

/** The same bytes in pieces of these sizes, over and over. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const cut: Buffer[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    cut.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cut;
}

const anyPayload = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(0, 125, 126, 127, 65_535, 65_536, 70_000).map((length) => new Uint8Array(length)),
);
const anySizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 90_000 })), {
  minLength: 1,
});

describe("a frame", () => {
  it("is written as RFC 6455 shows it", () => {
    expect(encodeFrame(OPCODE.text, Buffer.from("Hello")).toString("hex")).toBe("810548656c6c6f");
    expect(encodeFrame(OPCODE.text, Buffer.from("Hello"), MASK).toString("hex")).toBe("818537fa213d7f9f4d5158");
    expect(encodeFrame(OPCODE.binary, Buffer.alloc(256)).subarray(0, 4).toString("hex")).toBe("827e0100");
    expect(closeFrame(CLOSE_CODE.serviceRestart, "bye").toString("hex")).toBe("880503f4627965");
    expect(closeFrame(CLOSE_CODE.policyViolation, "x".repeat(200))).toHaveLength(127);
    expect(() => encodeFrame(OPCODE.text, Buffer.alloc(MAX_PAYLOAD_BYTES + 1))).toThrow(RangeError);
  });
});

describe("the end of a frame", () => {
  it("is seen in any stream, however it is cut", () => {
    const anyFrames = fc.array(fc.tuple(anyPayload, fc.boolean()), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(anyFrames, anySizes, (given, sizes) => {
        const frames = given.map(([payload, masked]) => frame(0x82, Buffer.from(payload), masked ? MASK : undefined));
        let end = 0;
        const ends = frames.map(({ length }) => {
          end += length;
          return end;
        });
        const boundary = new FrameBoundary();
        const seen: number[] = [];
        let at = 0;
        for (const chunk of pieces(Buffer.concat(frames), sizes)) {
          const last = boundary.push(chunk);
          if (last >= 0) seen.push(at + last);
          at += chunk.length;
          if (boundary.isReached !== ends.includes(at)) throw new Error(`wrong at byte ${at}`);
        }
        // Of several ends in one piece the last is told.
        expect(ends).toEqual(expect.arrayContaining(seen));
        expect(seen.at(-1)).toBe(end);
        if (sizes.every((size) => size === 1)) expect(seen).toEqual(ends);
      }),
    );
  });

  it("is seen at each single byte", () => {
    const boundary = new FrameBoundary();
    const bytes = Buffer.concat([
      frame(0x81, Buffer.from("ab")),
      frame(0x89, Buffer.of()),
      frame(0x82, Buffer.alloc(126)),
    ]);
    const ends = [...bytes].flatMap((byte, at) => (boundary.push(Buffer.of(byte)) === 1 ? [at + 1] : []));
    expect(ends).toEqual([4, 6, 6 + 4 + 126]);
  });
});

describe("a client's first message", () => {
  it("is put together from any pieces, and nothing is lost before and behind it", () => {
    const anyMessage = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 5 });
    const anyPings = fc.array(fc.uint8Array({ maxLength: 125 }), { maxLength: 3 });
    fc.assert(
      fc.property(anyMessage, anyPings, fc.uint8Array({ maxLength: 50 }), anySizes, (parts, pings, rest, sizes) => {
        const controls = pings.map((payload) => frame(0x89, Buffer.from(payload), MASK));
        const frames = parts.map((part, index) => {
          const final = index === parts.length - 1 ? 0x80 : 0;
          return frame(final | (index === 0 ? OPCODE.text : OPCODE.continuation), Buffer.from(part), MASK);
        });
        const [first = Buffer.of(), ...others] = frames;
        const sent = others.length > 0 ? [first, ...controls, ...others] : [...controls, first];
        const reader = new OpeningReader();
        const passed: Buffer[] = [];
        let message: Buffer | undefined;
        let behind = Buffer.of();
        for (const chunk of pieces(Buffer.concat([...sent, Buffer.from(rest)]), sizes)) {
          if (message) behind = Buffer.concat([behind, chunk]);
          else {
            const step = reader.push(chunk);
            passed.push(...step.passed);
            message = step.message;
            behind = Buffer.from(step.rest ?? Buffer.of());
          }
        }
        expect(message?.toString("hex")).toBe(Buffer.concat(parts).toString("hex"));
        expect(Buffer.concat(passed).toString("hex")).toBe(Buffer.concat(controls).toString("hex"));
        expect(behind.toString("hex")).toBe(Buffer.from(rest).toString("hex"));
      }),
    );
  });

  const header = (first: number, second: number, ...more: number[]) => Buffer.of(first, second, ...more);
  it.each<[string, Buffer, number]>([
    ["is not masked", frame(0x81, Buffer.from("{}")), CLOSE_CODE.protocolError],
    ["is compressed", frame(0xc1, Buffer.from("{}"), MASK), CLOSE_CODE.protocolError],
    ["has an opcode nobody knows", frame(0x83, Buffer.from("{}"), MASK), CLOSE_CODE.protocolError],
    ["begins in the middle", frame(0x80, Buffer.from("{}"), MASK), CLOSE_CODE.protocolError],
    [
      "begins twice",
      Buffer.concat([frame(0x01, Buffer.from("{"), MASK), frame(0x81, Buffer.from("}"), MASK)]),
      CLOSE_CODE.protocolError,
    ],
    ["is a ping in pieces", frame(0x09, Buffer.from("x"), MASK), CLOSE_CODE.protocolError],
    ["is a long ping", frame(0x89, Buffer.alloc(126), MASK), CLOSE_CODE.protocolError],
    ["announces more than there may be", header(0x81, 0xfe, 0xff, 0xff, 1, 2, 3, 4), CLOSE_CODE.tooBig],
    ["announces 2^63 bytes", header(0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4), CLOSE_CODE.tooBig],
    [
      "is too large in pieces",
      Buffer.concat([frame(0x01, Buffer.alloc(MAX_OPENING_BYTES), MASK), frame(0x80, Buffer.from("x"), MASK)]),
      CLOSE_CODE.tooBig,
    ],
    [
      "never ends",
      Buffer.concat([frame(0x01, Buffer.of(), MASK), ...Array(64).fill(frame(0x00, Buffer.of(), MASK))]),
      CLOSE_CODE.policyViolation,
    ],
    ["hides behind pings", Buffer.concat(Array(65).fill(frame(0x89, Buffer.of(), MASK))), CLOSE_CODE.policyViolation],
  ])("is refused when it %s, however it is cut", (_name, bytes, code) => {
    for (const size of [1, 7, bytes.length]) {
      const reader = new OpeningReader();
      const read = () => {
        for (const chunk of pieces(bytes, [size])) reader.push(chunk);
      };
      expect(read).toThrow(OpeningError);
      const again = new OpeningReader();
      expect(() => again.push(bytes)).toThrow(expect.objectContaining({ code }));
    }
  });
});
