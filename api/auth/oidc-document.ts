import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";
import { Agent, request } from "undici";
import type { Clock } from "#lib/clock.ts";
import { VERSION } from "#lib/version.ts";
import { parseJson } from "../http/json.ts";

/** Longest time of one document, from the look-up of its host to its last byte. */
export const DOCUMENT_TIMEOUT_MS = 5_000;
/** Far more than the keys of any issuer, certificates included. */
export const MAX_DOCUMENT_BYTES = 512 * 1024;
const CONNECT_TIMEOUT_MS = 3_000;

/** Fetches a JSON document. @throws Error in words for the log; the signal's reason once it aborted. */
export type FetchDocument = (url: string, signal?: AbortSignal) => Promise<unknown>;

/**
 * Fetches issuers' documents: bounded in time and size, and never from elsewhere than asked (undici follows no redirect). Connections
 * are not kept, as the next document is minutes away.
 * @param o.caFile PEM file with authorities to trust beside the public ones.
 * @throws Error when that file cannot be read.
 */
export function createDocumentFetcher(o: { clock: Clock; caFile: string | undefined }): {
  fetchDocument: FetchDocument;
  close: () => Promise<void>;
} {
  const authorities = o.caFile === undefined ? {} : { ca: [...getCACertificates(), readFileSync(o.caFile, "utf8")] };
  const agent = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS, ...authorities },
    pipelining: 0,
    allowH2: false,
    maxResponseSize: MAX_DOCUMENT_BYTES,
  });

  async function fetchDocument(url: string, signal?: AbortSignal): Promise<unknown> {
    const late = new AbortController();
    const cancel = o.clock.setTimer(() => {
      late.abort(new Error(`${url} was not there within ${DOCUMENT_TIMEOUT_MS / 1000} s`));
    }, DOCUMENT_TIMEOUT_MS);
    const ended = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
    try {
      const { statusCode, body } = await request(url, {
        dispatcher: agent,
        headers: { accept: "application/json", "user-agent": `hatchery-api/${VERSION}` },
        signal: ended,
      });
      if (statusCode === 200) return parseJson(Buffer.from(await body.arrayBuffer()));
      // What it says besides is not waited for; that this breaks the connection is meant.
      body.once("error", () => undefined).destroy();
      throw new Error(
        `HTTP ${statusCode}${statusCode >= 300 && statusCode < 400 ? ", and no redirect is followed" : ""}`,
      );
    } catch (cause) {
      ended.throwIfAborted();
      throw new Error(`${url}: ${(cause as Error).message}`, { cause });
    } finally {
      cancel();
    }
  }
  return { fetchDocument, close: () => agent.destroy() };
}
