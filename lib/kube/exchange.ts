import { Registry } from "prom-client";
import type { Dispatcher } from "undici";
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { createAgents, type Purpose } from "./agents.ts";
import type { KubeAccess } from "./config.ts";
import type { Deadline } from "./deadline.ts";
import { CLIENT_REASON, errorFromResponse, KubeError } from "./errors.ts";
import { restClientMetrics } from "./rest-metrics.ts";

/** One request to the apiserver. */
export interface TransportRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query. */
  path: string;
  body?: string;
  contentType?: string;
  signal?: AbortSignal | undefined;
  /** Limit of the whole call, retries included; of a stream, until its headers are there. Default 30 s. */
  timeoutMs?: number | undefined;
  /** May be sent again after a broken connection; GETs may always. */
  idempotent?: boolean | undefined;
}

/** The open body of an answer. */
export type Body = Dispatcher.ResponseData["body"];

/** Sends single requests, without retries: authentication, kept connections, metrics, errors as KubeError. */
export interface Exchange {
  /** Reads a 2xx answer with `read`. Throws KubeError otherwise, or the signal's reason once it aborted. */
  send<T>(
    request: TransportRequest,
    purpose: Purpose,
    deadline: Deadline,
    read: (body: Body) => Promise<T>,
  ): Promise<T>;
  /** Counts a request that is sent again because of this error. */
  countRetry(request: TransportRequest, error: KubeError): void;
  close(): Promise<void>;
}

export interface ExchangeOptions {
  access: KubeAccess;
  userAgent: string;
  log: Logger;
  clock: Clock;
  registry?: Registry | undefined;
}

const TIMEOUT_CODES = new Set(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** Exchanges with the apiserver of `access`. */
export function createExchange(o: ExchangeOptions): Exchange {
  const metrics = restClientMetrics(o.registry ?? new Registry());
  const { origin, host, pathname } = new URL(o.access.server);
  const basePath = pathname.replace(/\/+$/, "");
  const agents = createAgents(() => o.log.warn({ host }, "apiserver connections given up after repeated time-outs"));

  async function dispatch(request: TransportRequest, purpose: Purpose, signal: AbortSignal) {
    const { headers, tls } = await credentials(o.access);
    return agents.get(purpose, tls).request({
      origin,
      path: basePath + request.path,
      method: request.method,
      headers: {
        ...headers,
        accept: "application/json",
        "user-agent": o.userAgent,
        ...(request.body === undefined ? {} : { "content-type": request.contentType ?? "application/json" }),
      },
      body: request.body ?? null,
      signal,
    });
  }

  return {
    async send(request, purpose, deadline, read) {
      const what = describeRequest(request);
      const begun = o.clock.monotonic();
      const count = (code: string) => metrics.requests.inc({ code, method: request.method, host });
      try {
        const { statusCode, headers, body } = await dispatch(request, purpose, deadline.signal);
        const failure =
          statusCode < 200 || statusCode > 299
            ? errorFromResponse(what, statusCode, await body.text(), single(headers["retry-after"]))
            : undefined;
        const answer = failure ? undefined : await read(body);
        count(String(statusCode));
        agents.answered();
        if (failure) throw failure;
        return answer as Awaited<ReturnType<typeof read>>;
      } catch (error) {
        if (error instanceof KubeError) throw error;
        request.signal?.throwIfAborted();
        count("<error>");
        const mapped = networkError(what, error, deadline.expired);
        if (mapped.reason === CLIENT_REASON.timeout) agents.timedOut();
        throw mapped;
      } finally {
        metrics.duration.observe({ verb: request.method, host }, (o.clock.monotonic() - begun) / 1000);
      }
    },
    countRetry(request, error) {
      metrics.retries.inc({ code: error.status === 0 ? "<error>" : String(error.status), verb: request.method, host });
    },
    close: () => agents.close(),
  };
}

/** A token file that cannot be read, or a plugin that fails, may do so for a moment only: an error like any other. */
async function credentials(access: KubeAccess) {
  try {
    return await access.credentials();
  } catch (error) {
    const message = `no credentials for the apiserver: ${(error as Error).message}`;
    throw new KubeError(message, { status: 0, reason: CLIENT_REASON.credentials, cause: error });
  }
}

/** The request in words for messages: method and path, without the query (it may be long and says little). */
export function describeRequest(request: { method: string; path: string }): string {
  return `${request.method} ${request.path.split("?", 1)[0]}`;
}

/** The error for a failure without an answer. What has no code is no network failure but a bug, and is thrown as it is. */
export function networkError(what: string, error: unknown, expired = false): KubeError {
  const code = (error as { code?: string | number } | undefined)?.code;
  if (!expired && code === undefined) throw error;
  const timeout = expired || TIMEOUT_CODES.has(String(code));
  const text = error instanceof Error ? error.message : String(error);
  return new KubeError(`${what}: ${text}${code ? ` (${code})` : ""}`, {
    status: 0,
    reason: timeout ? CLIENT_REASON.timeout : CLIENT_REASON.network,
    cause: error,
  });
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
