import { Client, type Dispatcher } from "undici";
import type { Target } from "./jobs.ts";

/** What becomes of one request. */
export interface Listener {
  /** The head of a good answer has come. */
  readonly onHead?: (controller: Dispatcher.DispatchController) => void;
  readonly onData?: (chunk: Buffer) => void;
  /** It is over: well, or with what went wrong. */
  readonly onEnd: (failure?: string) => void;
}

/** One kept-alive connection of one user; requests on it wait for each other. */
export interface Connection {
  get(path: string, listener: Listener): void;
  post(path: string, body: string, listener: Listener): void;
  close(): Promise<void>;
}

/** Opens a connection with the first request. */
export function connect({ origin, headers, users }: Target, index: number): Connection {
  const client = new Client(origin, {
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 60_000,
    keepAliveMaxTimeout: 600_000,
  });
  const own = { ...headers, "x-oa-user-id": userName(index % users) };
  const json = { ...own, "content-type": "application/json" };
  return {
    get: (path, listener) => void client.dispatch({ method: "GET", path, headers: own }, handler(listener)),
    post: (path, body, listener) =>
      void client.dispatch({ method: "POST", path, headers: json, body }, handler(listener)),
    close: () => client.destroy(),
  };
}

/** Name of the i-th user. */
export function userName(index: number): string {
  return `user-${index}`;
}

function handler({ onHead, onData, onEnd }: Listener): Dispatcher.DispatchHandler {
  let failure: string | undefined;
  return {
    onRequestStart() {},
    onResponseStart(controller, statusCode) {
      if (statusCode === 200) onHead?.(controller);
      else failure = `status ${statusCode}`;
    },
    onResponseData(_, chunk) {
      if (failure === undefined) onData?.(chunk);
      else failure += ` ${chunk.toString("utf8").slice(0, 200)}`;
    },
    onResponseEnd: () => onEnd(failure),
    onResponseError: (_, error) => onEnd(`${failure ?? ""}${error.name}: ${error.message}`),
  };
}
