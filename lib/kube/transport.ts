import type { Readable } from "node:stream";
import { sleep } from "#lib/clock.ts";
import type { Purpose } from "./agents.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import { KubeError } from "./errors.ts";
import { type Body, createExchange, type ExchangeOptions, type TransportRequest } from "./exchange.ts";
import { retryDelayMs } from "./retry.ts";

/** Carries requests to the apiserver, over as many tries as their time limit and their nature allow. */
export interface Transport {
  /** The body of a 2xx answer. Throws KubeError otherwise, or the signal's reason. */
  request(request: TransportRequest): Promise<string>;
  /** The open body of a 2xx answer, destroyed when the signal aborts; not retried, but once with a fresh token after a 401. */
  stream(request: TransportRequest & { signal: AbortSignal }): Promise<Readable>;
  close(): Promise<void>;
}

export interface TransportOptions extends ExchangeOptions {
  random?: (() => number) | undefined;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** A transport to the apiserver of `access`. */
export function createTransport(o: TransportOptions): Transport {
  const exchange = createExchange(o);
  const random = o.random ?? Math.random;

  /** How long to wait before the next try, after the `count`-th ended in `error`; undefined = there is none. */
  function nextTry(request: TransportRequest, purpose: Purpose, error: KubeError, count: number, fresh: boolean) {
    if (error.status === 401 && !fresh) return 0;
    if (purpose === "watch") return undefined;
    const idempotent = request.idempotent ?? request.method === "GET";
    return retryDelayMs({ count, status: error.status, retryAfterMs: error.retryAfterMs, idempotent }, random);
  }

  async function tryUntil<T>(
    deadline: Deadline,
    request: TransportRequest,
    purpose: Purpose,
    read: (body: Body) => Promise<T>,
  ): Promise<T> {
    for (let count = 1, fresh = false; ; count++) {
      try {
        return await exchange.send(request, purpose, deadline, read);
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        const waitMs = nextTry(request, purpose, error, count, fresh);
        if (waitMs === undefined || waitMs >= deadline.remainingMs()) throw error;
        if (error.status === 401) {
          // The token may have been exchanged since it was read: once more with what the file says now.
          o.access.refresh();
          fresh = true;
        }
        o.log.debug({ err: error, waitMs }, "apiserver request is sent again");
        await sleep(o.clock, waitMs, request.signal);
        request.signal?.throwIfAborted();
        exchange.countRetry(request, error);
      }
    }
  }

  async function call<T>(request: TransportRequest, purpose: Purpose, read: (body: Body) => Promise<T>): Promise<T> {
    request.signal?.throwIfAborted();
    const deadline = startDeadline(o.clock, request.timeoutMs ?? DEFAULT_TIMEOUT_MS, request.signal);
    try {
      return await tryUntil(deadline, request, purpose, read);
    } finally {
      deadline.stop();
    }
  }

  return {
    request: (request) => call(request, "request", (body) => body.text()),
    async stream(request) {
      // The time limit ends with the headers; from then on the body hangs on the caller's signal alone.
      const body = await call(request, "watch", (open) => Promise.resolve(open));
      const cut = () => body.destroy();
      request.signal.addEventListener("abort", cut, { once: true });
      body.once("close", () => request.signal.removeEventListener("abort", cut));
      // Whoever reads the body gets the error there; nobody reads one cut before its first byte.
      body.on("error", () => undefined);
      if (request.signal.aborted) cut();
      return body;
    },
    close: () => exchange.close(),
  };
}
