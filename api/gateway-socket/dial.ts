import { randomBytes } from "node:crypto";
import { Agent, type ClientRequest, type IncomingMessage, type RequestOptions, request } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { errors } from "undici";
import type { Clock } from "#lib/clock.ts";
import type { Upstream } from "../instances/upstream.ts";
import { upstreamHeaders } from "../proxy/headers.ts";
import { refusalError } from "../proxy/refusal.ts";
import { acceptOf } from "./upgrade-request.ts";

const CONNECT_TIMEOUT_MS = 3_000;
/** Whole time until the gateway speaks WebSocket with us. */
const DIAL_TIMEOUT_MS = 15_000;
/** An answer of a gateway that is no more than yes or no is shorter. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** A route behind the gateway's own authentication that works nothing. */
const PROOF_PATH = "/v1/models";

/** A gateway that proved to be the slot's and speaks WebSocket. */
export interface GatewaySocket {
  readonly socket: Socket;
  /** What it said already. */
  readonly head: Buffer;
}

/** How a gateway is dialled. */
export interface DialOptions {
  readonly upstream: Upstream;
  readonly requestId: string;
  readonly isFromBrowser: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Opens a WebSocket to a gateway. An address may have become another tenant's by now: on the same connection the gateway first has to
 * take the slot's token on an ordinary route, so that nobody else's frames reach the client, nor the client's anybody else.
 * @throws ApiError or GatewayAnswerError when it refuses; otherwise what the transport says, or the signal's reason.
 */
export async function dialGateway(o: DialOptions): Promise<GatewaySocket> {
  const { hostname, port } = new URL(o.upstream.origin);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ""), port: Number(port), noDelay: true });
  // Whoever waits for the socket hears of its error; without a listener it would end the process at any other moment.
  socket.on("error", () => undefined);
  const giveUp = (reason: Error) => () => socket.destroy(reason);
  const timers = [
    o.clock.setTimer(giveUp(new errors.HeadersTimeoutError("the gateway did not answer")), DIAL_TIMEOUT_MS),
    o.clock.setTimer(() => {
      if (socket.connecting) socket.destroy(new errors.ConnectTimeoutError("no connection to the gateway"));
    }, CONNECT_TIMEOUT_MS),
  ];
  const abort = giveUp(new Error("the client left"));
  o.signal.addEventListener("abort", abort, { once: true });
  const agent = new OneSocketAgent(socket);
  try {
    o.signal.throwIfAborted();
    await prove(agent, o);
    return await upgrade(agent, socket, o);
  } catch (cause) {
    socket.destroy();
    throw cause;
  } finally {
    for (const cancel of timers) cancel();
    o.signal.removeEventListener("abort", abort);
    // Of an upgraded socket the agent knows nothing any more.
    agent.destroy();
  }
}

type Failed = (error: Error) => void;

/** All requests go over the one connection, or none. */
class OneSocketAgent extends Agent {
  #socket: Socket | undefined;

  constructor(socket: Socket) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#socket = socket;
  }

  override createConnection(
    _options: unknown,
    done?: (error: Error | null, socket: Duplex) => void,
  ): Duplex | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    // Thrown it would reach nobody: an agent connects again by itself when its connection has ended.
    if (!socket) process.nextTick(() => (done as Failed)(new errors.SocketError("the gateway closed the connection")));
    return socket;
  }
}

async function prove(agent: Agent, { upstream, requestId }: DialOptions): Promise<void> {
  const headers = upstreamHeaders({
    token: upstream.token,
    requestId,
    accept: "application/json",
    forwarded: {},
    bodyBytes: undefined,
  });
  const answer = await exchange(upstream, { agent, path: PROOF_PATH, headers });
  if (!("response" in answer)) throw new errors.SocketError("the gateway switched protocols unasked");
  if (answer.response.statusCode !== 200) throw await refusal(answer.response);
  await read(answer.response);
}

async function upgrade(agent: Agent, socket: Socket, o: DialOptions): Promise<GatewaySocket> {
  const key = randomBytes(16).toString("base64");
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": key,
    "x-request-id": o.requestId,
    // We judged the page's origin; the gateway wants to see its own, and treats a browser's client as one then.
    ...(o.isFromBrowser ? { origin: o.upstream.origin } : {}),
  };
  const answer = await exchange(o.upstream, { agent, path: "/", headers });
  if ("response" in answer) throw await refusal(answer.response);
  if (answer.upgraded.headers["sec-websocket-accept"] !== acceptOf(key)) {
    throw new errors.SocketError("the gateway's handshake is not the answer to ours");
  }
  return { socket, head: answer.head };
}

type Answer = { response: IncomingMessage } | { upgraded: IncomingMessage; head: Buffer };

function exchange(upstream: Upstream, options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req: ClientRequest = request(upstream.origin, options);
    req.once("response", (response) => resolve({ response }));
    req.once("upgrade", (upgraded, _socket, head) => resolve({ upgraded, head }));
    // Also after it was answered: what is cut off then shows where the answer is read.
    req.on("error", reject);
    req.end();
  });
}

async function refusal(response: IncomingMessage): Promise<Error> {
  const body = await read(response);
  const { statusCode = 0, headers } = response;
  return refusalError({ status: statusCode, headers, body: body.toString("utf8") });
}

/** Reads an answer whole. The loop's end cuts off what is too long, so that a pod can't keep us reading. */
async function read(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw new errors.SocketError("the gateway's answer is too long");
  }
  return Buffer.concat(chunks);
}
