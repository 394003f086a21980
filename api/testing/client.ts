import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { as } from "./api-under-test.ts";

/** An answer whose head has arrived; its body has not been read. */
export interface OpenAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly stream: IncomingMessage;
  /** The next piece of the body; undefined = the body ended in good order. Rejects when it was cut off. */
  next(): Promise<string | undefined>;
  /** Breaks the connection, as a client that leaves does. */
  leave(): void;
}

/** A request as tests write it; user alice unless said otherwise. */
export interface ClientRequest {
  method?: string;
  path: string;
  user?: string | null;
  headers?: Record<string, string | string[]>;
  body?: unknown;
}

/** Sends a request and resolves with the head of its answer. */
export function open(url: string, o: ClientRequest): Promise<OpenAnswer> {
  const { promise } = start(url, o);
  return promise;
}

/** Like {@link open}, with the means to leave before there is an answer. */
export function start(url: string, o: ClientRequest): { promise: Promise<OpenAnswer>; leave: () => void } {
  const { method = o.body === undefined ? "GET" : "POST", path, user = "alice", headers = {}, body } = o;
  const sent = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
  const { hostname, port } = new URL(url);
  // Options, not a URL: that would tidy the path up.
  const req = request({
    hostname,
    port,
    path,
    method,
    agent: false,
    headers: { ...(user === null ? {} : as(user)), ...headers },
  });
  const promise = new Promise<OpenAnswer>((resolve, reject) => {
    req.once("error", reject);
    req.once("response", (stream) => {
      let pieces: AsyncIterator<string, undefined> | undefined;
      resolve({
        status: stream.statusCode ?? 0,
        headers: stream.headers,
        stream,
        async next() {
          pieces ??= stream.setEncoding("utf8")[Symbol.asyncIterator]() as AsyncIterator<string, undefined>;
          return (await pieces.next()).value;
        },
        leave: () => void req.destroy(),
      });
    });
  });
  req.end(sent);
  return { promise, leave: () => void req.destroy() };
}

/** Sends a request and reads its answer whole, as JSON where it is JSON. */
export async function call(
  url: string,
  o: ClientRequest,
): Promise<{ status: number; headers: IncomingMessage["headers"]; text: string; json: unknown }> {
  const { status, headers, stream } = await open(url, o);
  const body = await text(stream);
  const isJson = body !== "" && headers["content-type"]?.includes("application/json");
  return { status, headers, text: body, json: isJson ? JSON.parse(body) : undefined };
}

/** Writes bytes to a port of 127.0.0.1 and answers all that comes back until the connection ends. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1").write(bytes, "latin1");
  return text(socket);
}
