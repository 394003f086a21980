import { type CloseCode, OPCODE } from "./frame-header.ts";

/** Longest reason that fits a control frame beside its code. */
const MAX_REASON_BYTES = 123;

/** Longest payload of a frame of ours. */
export const MAX_PAYLOAD_BYTES = 65_535;

/** A whole frame; with a mask as clients must send it, without as servers must. @throws RangeError when the payload is too long. */
export function encodeFrame(opcode: number, payload: Buffer, mask?: Buffer): Buffer {
  const masked = mask ? 0x80 : 0;
  const head = [0x80 | opcode];
  if (payload.length < 126) head.push(masked | payload.length);
  else if (payload.length <= MAX_PAYLOAD_BYTES) head.push(masked | 126, payload.length >> 8, payload.length & 0xff);
  else throw new RangeError(`a frame of ours has at most ${MAX_PAYLOAD_BYTES} bytes`);
  return Buffer.concat([Buffer.from(head), ...(mask ? [mask, unmask(Buffer.from(payload), mask, 0)] : [payload])]);
}

/** The server's frame that ends a connection and says why. */
export function closeFrame(code: CloseCode, reason: string): Buffer {
  const payload = Buffer.concat([Buffer.of(code >> 8, code & 0xff), Buffer.from(reason).subarray(0, MAX_REASON_BYTES)]);
  return encodeFrame(OPCODE.close, payload);
}

/** Combines bytes with a mask in place, both ways the same; `at` = their position in the payload. */
export function unmask(bytes: Buffer, mask: Buffer, at: number): Buffer {
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = (bytes[index] ?? 0) ^ (mask[(at + index) & 3] ?? 0);
  }
  return bytes;
}
