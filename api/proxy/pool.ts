import { Agent } from "undici";

/** The gateway closes idle connections after 5 s; ours end before that, so that no call meets a closing one. */
const IDLE_MS = 4_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** Connections to one pod; tenants' own limits stay below. */
const CONNECTIONS_PER_POD = 128;

/** One pool of connections per gateway; a pool without connections vanishes by itself, so pods that went leave nothing. */
export function createGatewayAgent(): Agent {
  return new Agent({
    connections: CONNECTIONS_PER_POD,
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // A pod speaks HTTP/1.1; nothing is negotiated.
    allowH2: false,
  });
}
