import type { Readable } from "node:stream";

/** More than any answer of a gateway that the operator asks for. */
const MAX_BYTES = 64 * 1024;

/** The body of a gateway's answer. A pod is its tenant's, so one that goes on and on is let go of and counts as empty. */
export async function readAnswer(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the stream, and its connection with it.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) return "";
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
