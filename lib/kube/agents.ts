import { Agent } from "undici";
import type { TlsMaterial } from "./config.ts";

/** Requests come in bursts, watches stay: each has connections of its own. */
export type Purpose = "request" | "watch";

/** The connections to one apiserver. */
export interface Agents {
  /** The Agent for a purpose, made anew when the TLS material is not the one it was made with. */
  get(purpose: Purpose, tls: TlsMaterial): Agent;
  /** A request was answered. */
  answered(): void;
  /** A request ran into its time limit. Three in a row and the kept connections are taken for dead and thrown away. */
  timedOut(): void;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Go servers close idle connections after 90 s; we let go well before, or a POST would now and then meet a closed one. */
const KEEP_ALIVE_MS = 30_000;
const MAX_REQUEST_CONNECTIONS = 32;
const TIMEOUTS_BEFORE_REBUILD = 3;

/** @param onRebuild told when connections were given up after time-outs. */
export function createAgents(onRebuild: () => void): Agents {
  let made: { tls: TlsMaterial; request: Agent; watch: Agent } | undefined;
  /** Agents that still finish what they began. */
  const retired = new Set<Agent>();
  let timeouts = 0;

  function retire(agent: Agent): void {
    retired.add(agent);
    const forget = () => retired.delete(agent);
    agent.close().then(forget, forget);
  }

  return {
    get(purpose, tls) {
      if (made && made.tls !== tls) {
        retire(made.request);
        retire(made.watch);
        made = undefined;
      }
      made ??= { tls, request: createAgent(tls, MAX_REQUEST_CONNECTIONS), watch: createAgent(tls, null) };
      return made[purpose];
    },
    answered() {
      timeouts = 0;
    },
    timedOut() {
      timeouts += 1;
      if (timeouts < TIMEOUTS_BEFORE_REBUILD || !made) return;
      timeouts = 0;
      const old = made.request;
      made = { ...made, request: createAgent(made.tls, MAX_REQUEST_CONNECTIONS) };
      retired.add(old);
      const forget = () => retired.delete(old);
      old.destroy(gone("connections given up after repeated time-outs")).then(forget, forget);
      onRebuild();
    },
    async close() {
      const all = [...retired, ...(made ? [made.request, made.watch] : [])];
      made = undefined;
      await Promise.all(all.map((agent) => agent.destroy(gone("the client was closed"))));
    },
  };
}

/**
 * HTTP/1.1 only: undici's HTTP/2 never gives up on a peer that went silent, and hangs every later request on its one
 * connection. Time limits of answers are the transport's.
 */
function createAgent(tls: TlsMaterial, connections: number | null): Agent {
  return new Agent({
    allowH2: false,
    connections,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { ...tls, timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS },
  });
}

/** Has a code like every failure of a connection, so that requests in flight fail as such. */
function gone(message: string): Error {
  return Object.assign(new Error(message), { code: "ECONNABORTED" });
}
