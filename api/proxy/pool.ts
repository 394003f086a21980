import { Agent } from "undici";

/** The gateway closes idle connections after 5 s; ours end before that, so that no call meets a closing one. */
const IDLE_MS = 4_000;
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * One pool per gateway; a pool without connections vanishes by itself, so pods that went leave nothing.
 * @param connections at most this many to one gateway: as many as its tenant may have open calls, so that none ever queues here.
 */
export function createGatewayAgent(connections: number): Agent {
  return new Agent({
    connections,
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    // A pod speaks HTTP/1.1; nothing is negotiated.
    allowH2: false,
  });
}
