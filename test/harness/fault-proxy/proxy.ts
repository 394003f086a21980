import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent } from "undici";
import { type KubeAccess, loadKubeAccess } from "#lib/kube/config.ts";
import { answerInstead } from "./answer.ts";
import { createFaultPlan, type Fault, type Injection, type InjectOptions, type SeenRequest } from "./fault.ts";
import { relay, relayShaped, type Wire } from "./relay.ts";
import type { WatchShape } from "./watch-shape.ts";

/** An apiserver with faults on demand: plain HTTP on a loopback port, passed on to the real one. */
export interface FaultProxy {
  readonly url: string;
  /** For `createKubeClient`. */
  readonly access: KubeAccess;
  /** Path of a kubeconfig that leads through the proxy, for processes. */
  readonly kubeconfig: string;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Requests seen so far, in order. */
  readonly requests: readonly SeenRequest[];
  /** Resolves when the apiserver has begun to answer all that was passed on to it. */
  answered(): Promise<void>;
  inject(fault: Fault, o?: InjectOptions): Injection;
  /** Takes all injected faults away. */
  clearFaults(): void;
  /** From now on nothing comes back on the connections open now, as behind a dead load balancer; new ones work. */
  freezeConnections(): void;
  /** Cuts every open connection. */
  resetConnections(): void;
  /** These watches (default all) deliver nothing until the returned function is called; then all that was held back. */
  holdWatches(match?: (request: SeenRequest) => boolean): () => void;
  /** What becomes of the events of watches that begin from now on; undefined = nothing. */
  shapeWatches(shape: WatchShape | undefined): void;
  close(): Promise<void>;
}

/** Headers that belong to one connection. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding", "host", "content-length"]);

/** Starts a proxy to the apiserver of a kubeconfig. Requests without credentials get those of the kubeconfig. */
export async function startFaultProxy(kubeconfig: string): Promise<FaultProxy> {
  const upstream = loadKubeAccess(kubeconfig);
  const { tls } = await upstream.credentials();
  const agent = new Agent({ allowH2: false, connect: { ...tls }, headersTimeout: 0, bodyTimeout: 0 });
  const plan = createFaultPlan();
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const frozen = new WeakSet<Socket>();
  let connections = 0;
  let gate: (PromiseWithResolvers<void> & { match: (request: SeenRequest) => boolean }) | undefined;
  let shape: WatchShape | undefined;
  const passedOn = new Set<Promise<unknown>>();

  const wire: Wire = {
    isFrozen: (request) => frozen.has(request.socket),
    watchesFlow: async (request) => {
      while (gate?.match(request)) await gate.promise;
    },
    get shape() {
      return shape;
    },
  };

  async function pass(request: IncomingMessage, seen: SeenRequest, signal: AbortSignal) {
    const own = request.headers.authorization ? {} : (await upstream.credentials()).headers;
    return agent.request({
      origin: upstream.server,
      path: seen.path,
      method: seen.method as "GET",
      headers: { ...endToEnd(request.headers), ...own },
      body: request.method === "GET" ? null : request,
      signal,
    });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url: path = "/" } = request;
    // Once its body was passed on, the request no longer knows its socket.
    const { socket } = request;
    const isWatch = new URLSearchParams(path.split("?")[1]).get("watch") === "true";
    const seen = { method, path, isWatch, headers: request.headers };
    requests.push(seen);
    if (wire.isFrozen(request)) return;
    const fault = plan.take(seen);
    if (fault && answerInstead(fault, response)) return;
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const replied = pass(request, seen, gone.signal);
    passedOn.add(replied);
    const reply = await replied.finally(() => passedOn.delete(replied));
    if (fault?.kind === "lose-answer") {
      await reply.body.dump();
      socket.resetAndDestroy();
      return;
    }
    response.writeHead(reply.statusCode, endToEnd(reply.headers));
    response.flushHeaders();
    if (isWatch && wire.shape) return relayShaped(reply.body, response, wire.shape);
    await relay(reply.body, response, wire, { seen, cutLine: fault?.kind === "cut" ? fault.line : undefined });
  }

  const server = createServer({ keepAliveTimeout: 90_000 }, (request, response) => {
    const { socket } = request;
    answer(request, response).catch(() => {
      // The client went away, or the apiserver did: for the other side both look like a broken connection.
      socket.destroy();
    });
  });
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dir = await mkdtemp(join(tmpdir(), "fault-proxy-"));
  const ownKubeconfig = join(dir, "kubeconfig");
  await writeFile(ownKubeconfig, kubeconfigFor(url));

  return {
    url,
    access: loadKubeAccess(ownKubeconfig),
    kubeconfig: ownKubeconfig,
    get connections() {
      return connections;
    },
    requests,
    async answered() {
      while (passedOn.size > 0) await Promise.allSettled(passedOn);
    },
    inject: (fault, o) => plan.inject(fault, o),
    clearFaults: () => plan.clear(),
    freezeConnections() {
      for (const socket of sockets) frozen.add(socket);
    },
    resetConnections() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    holdWatches(match = () => true) {
      const held = { ...Promise.withResolvers<void>(), match };
      gate = held;
      return () => {
        if (gate === held) gate = undefined;
        held.resolve();
      };
    },
    shapeWatches(next) {
      shape = next;
    },
    async close() {
      gate?.resolve();
      gate = undefined;
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await agent.destroy();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function endToEnd<V>(headers: Record<string, V>): Record<string, V> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

/** A kubeconfig (JSON is YAML) for an apiserver that asks for nothing. */
function kubeconfigFor(server: string): string {
  const name = "fault-proxy";
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
