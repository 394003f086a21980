import { buildConnector, Client, Dispatcher } from "undici";

/** The gateway closes idle connections after 5 s; ours end before that, so that no call meets a closing one. */
const IDLE_MS = 4_000;
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Connections to gateways, each for one call at a time and kept for the next one to the same gateway. undici's own pools hold a queue
 * of 16 KB for each gateway and connections on trial; here no call ever waits: how many a tenant may have open is counted before.
 */
export class GatewayAgent extends Dispatcher {
  readonly #connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, allowH2: false });
  /** All connections, with the origin of their gateway. */
  readonly #connections = new Map<Dispatcher, string>();
  /** Those without a call, by origin; the last one was used last. An origin without any is not in it. */
  readonly #idle = new Map<string, Client[]>();
  #isDestroyed = false;

  /** Connections there are, with a call or without. */
  get size(): number {
    return this.#connections.size;
  }

  /** Sends a request; its origin is the gateway's. What becomes of it, the handler is told. */
  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const origin = String(options.origin);
    const client = this.#takeIdle(origin) ?? this.#open(origin);
    if (client.dispatch(options, handler)) this.#keep(client, origin);
    return true;
  }

  /** Ends all calls and connections. */
  override async destroy(): Promise<void> {
    this.#isDestroyed = true;
    const all = [...this.#connections.keys()];
    this.#connections.clear();
    this.#idle.clear();
    await Promise.all(all.map((client) => client.destroy()));
  }

  #open(origin: string): Client {
    if (this.#isDestroyed) throw new Error("connections to gateways are closed");
    const client = new Client(origin, {
      pipelining: 1,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      connect: this.#connect,
      // A pod speaks HTTP/1.1; nothing is negotiated.
      allowH2: false,
    });
    this.#connections.set(client, origin);
    client.on("drain", this.#onDrain).on("disconnect", this.#onEnd).on("connectionError", this.#onEnd);
    return client;
  }

  /** A call is over. */
  readonly #onDrain = (_origin: URL, [client]: readonly Dispatcher[] = []) => {
    const origin = client && this.#connections.get(client);
    if (origin !== undefined) this.#keep(client as Client, origin);
  };

  /** There is no connection, or none any more. A call that had not begun may still begin on a new one. */
  readonly #onEnd = (_origin: URL, [client]: readonly Dispatcher[] = []) => {
    const origin = client && this.#connections.get(client);
    if (origin === undefined) return;
    this.#connections.delete(client as Client);
    const left = (this.#idle.get(origin) ?? []).filter((other) => other !== client);
    if (left.length > 0) this.#idle.set(origin, left);
    else this.#idle.delete(origin);
    client?.close(() => undefined);
  };

  #keep(client: Client, origin: string): void {
    const idle = this.#idle.get(origin);
    if (idle) idle.push(client);
    else this.#idle.set(origin, [client]);
  }

  #takeIdle(origin: string): Client | undefined {
    const idle = this.#idle.get(origin);
    const client = idle?.pop();
    if (idle?.length === 0) this.#idle.delete(origin);
    return client;
  }
}
