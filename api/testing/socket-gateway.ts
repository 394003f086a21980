import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { acceptOf } from "../gateway-socket/upgrade-request.ts";
import { Peer } from "./peer.ts";

/** A request or handshake that reached the gateway. */
interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

/** A real HTTP server on 127.0.0.1 in place of a tenant's gateway, that hands out the sockets of its WebSockets as they are. */
export interface SocketGateway extends AsyncDisposable {
  readonly origin: string;
  readonly seen: Seen[];
  /** The next WebSocket, after the handshake. */
  connection(): Promise<Peer>;
  /** Answers requests, the proof of the token among them; by default 200 with the token and 401 without. */
  onRequest(script: (req: IncomingMessage, res: ServerResponse) => void): void;
  /** Answers handshakes; by default as they should be. */
  onUpgrade(script: (req: IncomingMessage, socket: Socket) => void): void;
}

/** Starts a gateway that takes this token. */
export async function startSocketGateway(token: string): Promise<SocketGateway> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  const arrived: Peer[] = [];
  const waiting: ((peer: Peer) => void)[] = [];
  let answer = (req: IncomingMessage, res: ServerResponse) => {
    const isOurs = req.headers.authorization === `Bearer ${token}`;
    const unauthorized = { error: { message: "Unauthorized", type: "unauthorized" } };
    res.writeHead(isOurs ? 200 : 401, { "content-type": "application/json" });
    res.end(JSON.stringify(isOurs ? { data: [] } : unauthorized));
  };
  let upgrade = (req: IncomingMessage, socket: Socket) => {
    const accept = acceptOf(req.headers["sec-websocket-key"] ?? "");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    const peer = new Peer(socket);
    const next = waiting.shift();
    if (next) next(peer);
    else arrived.push(peer);
  };
  const note = ({ method = "", url: path = "", headers }: IncomingMessage) => seen.push({ method, path, headers });
  const server = createServer((req, res) => {
    note(req);
    answer(req, res);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (req, socket) => {
    note(req);
    upgrade(req, socket as Socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    connection() {
      const peer = arrived.shift();
      return peer ? Promise.resolve(peer) : new Promise((resolve) => waiting.push(resolve));
    },
    onRequest(script) {
      answer = script;
    },
    onUpgrade(script) {
      upgrade = script;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
