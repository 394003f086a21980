import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Tenant, tenantKey } from "#crds/index.ts";
import { type Clock, sleep } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { faultOf } from "../error-mapper.ts";
import type { ProxyMetrics } from "../proxy/metrics.ts";
import type { GatewaySocket } from "./dial.ts";
import { CLOSE_CODE } from "./frame-header.ts";
import { OpeningError } from "./opening-reader.ts";
import { type OpeningStep, type Relay, startRelay } from "./relay.ts";

/** Until the client's connect request is whole. The gateway itself waits 15 s for it. */
const OPENING_TIMEOUT_MS = 12_000;
/** A connection may last for days: what let it in is looked at again this often. */
const RECHECK_MS = 60_000;
const KEEP_ALIVE_MS = 30_000;

/** A client that was let in, and its gateway. */
export interface ConnectionOptions {
  readonly client: Duplex;
  readonly clientHead: Buffer;
  readonly gateway: GatewaySocket;
  readonly open: (chunk: Buffer) => OpeningStep;
  readonly tenant: Tenant;
  /** Asks again who calls and whether it may. */
  readonly authorize: () => Promise<Tenant>;
  readonly metrics: ProxyMetrics;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of the relay while it runs. */
  readonly relays: Set<Relay>;
}

/** Relays a connection until both sides are closed. Never rejects. */
export async function runConnection(o: ConnectionOptions): Promise<void> {
  const { clock, metrics, log } = o;
  const started = clock.monotonic();
  const ended = new AbortController();
  const bytes = { up: 0, down: 0 };
  for (const socket of [o.client, o.gateway.socket]) prepare(socket);
  metrics.openStreams.inc({ kind: "ws" });
  let stopWaiting: (() => void) | undefined;
  const relay = startRelay({
    client: o.client,
    gateway: o.gateway.socket,
    clientHead: o.clientHead,
    gatewayHead: o.gateway.head,
    clock,
    open(chunk) {
      const step = o.open(chunk);
      if (step.isOver) stopWaiting?.();
      return step;
    },
    onFault(error) {
      if (error instanceof OpeningError)
        log.info({ code: error.code, reason: error.message }, "gateway socket refused");
      else log.error({ err: error }, "gateway socket failed unexpectedly");
    },
    onBytes(dir, count) {
      bytes[dir] += count;
      metrics.bytes.inc({ dir }, count);
    },
  });
  o.relays.add(relay);
  stopWaiting = clock.setTimer(
    () => relay.close(CLOSE_CODE.policyViolation, "no connect request came in time"),
    OPENING_TIMEOUT_MS,
  );
  const rechecking = recheck(o, relay, ended.signal);
  await relay.closed;
  stopWaiting();
  ended.abort();
  o.relays.delete(relay);
  metrics.openStreams.dec({ kind: "ws" });
  log.info({ ms: clock.monotonic() - started, bytesUp: bytes.up, bytesDown: bytes.down }, "gateway socket closed");
  await rechecking;
}

function prepare(socket: Duplex): void {
  if (!(socket instanceof Socket)) return;
  socket.setTimeout(0).setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
}

/** Ends the connection once what let it in no longer does. That it cannot be told right now ends nothing. */
async function recheck(o: ConnectionOptions, relay: Relay, ended: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(o.clock, RECHECK_MS, ended);
    if (ended.aborted) return;
    if (await isStillAllowed(o)) continue;
    relay.close(CLOSE_CODE.policyViolation, "your access has ended");
    return;
  }
}

async function isStillAllowed({ authorize, tenant, log }: ConnectionOptions): Promise<boolean> {
  try {
    return tenantKey(await authorize()) === tenantKey(tenant);
  } catch (error) {
    const { status, code } = faultOf(error);
    if (status >= 400 && status < 500 && status !== 429) return false;
    log.warn({ code, err: error }, "a gateway socket's credential cannot be checked");
    return true;
  }
}
