import type { Readable } from "node:stream";

/** More than any answer of a gateway that the operator asks for. */
const MAX_BYTES = 64 * 1024;

/**
 * The JSON of a gateway's answer; undefined where it is none. A pod is its tenant's, so an answer that goes on and on is let go
 * of and counts as none.
 */
export async function readAnswer(body: Readable): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the stream, and its connection with it.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}
