import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { Request, Response } from "express";

/** A text that is the same for everybody as long as the process lives. */
export interface StaticDocument {
  readonly type: string;
  readonly plain: Representation;
  readonly gzipped: Representation;
  /** Headers beside those that every document has. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Representation {
  readonly bytes: Buffer;
  /** Of these bytes alone, so that replicas of one version agree. */
  readonly etag: string;
}

/** A document of this media type. */
export function staticDocument(
  type: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): StaticDocument {
  const bytes = Buffer.from(text);
  return { type, plain: representation(bytes), gzipped: representation(gzipSync(bytes)), headers };
}

function representation(bytes: Buffer): Representation {
  return { bytes, etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 27)}"` };
}

/** Answers with the document, or 304 to who has it already. It may be kept, and must be asked about: the next version has another. */
export function sendDocument(req: Request, res: Response, { type, plain, gzipped, headers }: StaticDocument): void {
  const isGzipped = req.acceptsEncodings("gzip", "identity") === "gzip";
  const { bytes, etag } = isGzipped ? gzipped : plain;
  res.vary("accept-encoding");
  res.set({ ...headers, "content-type": type, "cache-control": "public, no-cache", etag });
  if (isGzipped) res.set("content-encoding", "gzip");
  if (req.fresh) res.status(304).end();
  else res.status(200).send(bytes);
}
