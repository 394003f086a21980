import type { ListOptions, WatchOptions } from "#lib/kube/calls.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { CLIENT_REASON, KubeError, WatchStreamError } from "#lib/kube/errors.ts";
import type { ConfigMap } from "#lib/kube/resource.ts";
import type { ResourceType, WatchEvent } from "#lib/kube/types.ts";

/** How a list is to fail. */
export type ListFault = "network" | "unauthorized" | "server" | "expired";
/** How a watch is to end, after it delivered `after` events. */
export interface WatchFault {
  kind: "network" | "unauthorized" | "server" | "expired" | "expired-event" | "error-event" | "malformed" | "end";
  after: number;
}

interface Entry {
  type: "ADDED" | "MODIFIED" | "DELETED";
  revision: number;
  object: ConfigMap;
}

/**
 * An apiserver of one kind in memory, with a history that can be compacted, lists that lag, and faults. It keeps the rules of
 * the real one as far as a reflector can tell; that these are the rules, the integration tests show.
 */
export class ScriptedApiserver {
  readonly listFaults: ListFault[] = [];
  readonly watchFaults: WatchFault[] = [];
  /** How many revisions the cache behind lists with `resourceVersion=0` lags. */
  lag = 0;
  /** Watches deliver each event twice. */
  stutters = false;
  /** Watches deliver two events that are there at the same time in the wrong order. */
  swaps = false;
  /** How many lists were asked for. */
  lists = 0;
  #history: Entry[] = [];
  #revision = 1;
  #compacted = 0;
  #uids = 0;
  #epoch = 0;
  #changed = Promise.withResolvers<void>();

  /** The objects as they are, by key. */
  state(revision = this.#revision): Map<string, ConfigMap> {
    const state = new Map<string, ConfigMap>();
    for (const entry of this.#history.filter((past) => past.revision <= revision)) {
      if (entry.type === "DELETED") state.delete(keyOf(entry.object));
      else state.set(keyOf(entry.object), entry.object);
    }
    return state;
  }

  /** Creates or changes an object and answers it as a write is answered. */
  write(name: string, value: string): ConfigMap {
    const before = this.state().get(`default/${name}`);
    const uid = before?.metadata.uid ?? `uid-${++this.#uids}`;
    return this.#append(before ? "MODIFIED" : "ADDED", name, uid, value);
  }

  delete(name: string): void {
    const before = this.state().get(`default/${name}`);
    if (before) this.#append("DELETED", name, before.metadata.uid ?? "", before.data?.value ?? "");
  }

  /** Forgets all history up to now: watches from before must list anew. */
  compact(): void {
    this.#compacted = this.#revision;
  }

  /** Goes back to an earlier revision, as an etcd restored from a backup does. All watches break. */
  restore(revisions: number): void {
    this.#revision = Math.max(1, this.#revision - revisions);
    this.#history = this.#history.filter((entry) => entry.revision <= this.#revision);
    this.#compacted = Math.min(this.#compacted, this.#revision);
    this.#epoch += 1;
    this.#wake();
  }

  /** The part of a client that an informer uses. */
  get client(): KubeClient {
    const unused = () => Promise.reject(new Error("the scripted apiserver only lists and watches"));
    return {
      list: ((_type: ResourceType, o: ListOptions = {}) => this.#list(o)) as KubeClient["list"],
      watch: ((_type: ResourceType, o: WatchOptions) => this.#watch(o)) as unknown as KubeClient["watch"],
      get: unused,
      create: unused,
      replace: unused,
      apply: unused,
      mergePatch: unused,
      jsonPatch: unused,
      delete: unused,
      close: () => Promise.resolve(),
    };
  }

  #append(type: Entry["type"], name: string, uid: string, value: string): ConfigMap {
    this.#revision += 1;
    const object: ConfigMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "default", uid, resourceVersion: String(this.#revision) },
      data: { value },
    };
    this.#history.push({ type, revision: this.#revision, object });
    this.#wake();
    return structuredClone(object);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #list(o: ListOptions) {
    this.lists += 1;
    const fault = this.listFaults.shift();
    if (fault) return Promise.reject(failure(fault));
    const wanted = Number(o.resourceVersion ?? "");
    if (wanted > this.#revision) {
      return Promise.reject(new KubeError("Too large resource version", { status: 504, reason: "Timeout" }));
    }
    const oldest = o.resourceVersion === undefined ? this.#revision : wanted;
    const revision = o.continue
      ? Number(o.continue.split(":")[1])
      : Math.min(this.#revision, Math.max(1, oldest, this.#revision - this.lag));
    const all = [...this.state(revision).values()].map((object) => structuredClone(object));
    const start = Number(o.continue?.split(":")[0] ?? 0);
    const end = o.limit === undefined ? all.length : start + Math.min(o.limit, 2);
    return Promise.resolve({
      items: all.slice(start, end),
      resourceVersion: String(revision),
      ...(end < all.length ? { continue: `${end}:${revision}` } : {}),
    });
  }

  async *#watch(o: WatchOptions): AsyncGenerator<WatchEvent<ConfigMap>> {
    const fault = this.watchFaults.shift();
    const epoch = this.#epoch;
    let revision = Number(o.resourceVersion);
    if (fault && isHttp(fault)) throw failure(fault.kind);
    if (revision > this.#revision) throw streamError(504, "Too large resource version");
    if (revision < this.#compacted) throw failure("expired");
    for (let delivered = 0; ; delivered++) {
      if (fault && delivered >= fault.after) {
        if (fault.kind === "end") return;
        throw failure(fault.kind);
      }
      const next = await this.#next(revision, epoch, o.signal);
      if (epoch !== this.#epoch) throw failure("network");
      if (!next) return;
      for (const entry of this.#arranged(next)) {
        revision = Math.max(revision, entry.revision);
        yield { type: entry.type, object: structuredClone(entry.object) };
      }
    }
  }

  /** An entry as a watch delivers it: as often as it does, and with the one after it where those change places. */
  #arranged(next: Entry): Entry[] {
    const later = this.swaps ? this.#history.find((entry) => entry.revision > next.revision) : undefined;
    const entries = later ? [later, next] : [next];
    return this.stutters ? entries.flatMap((entry) => [entry, entry]) : entries;
  }

  /** The first entry after a revision, once there is one; undefined when the signal aborts or the history is another. */
  async #next(revision: number, epoch: number, signal: AbortSignal): Promise<Entry | undefined> {
    while (!signal.aborted && epoch === this.#epoch) {
      const next = this.#history.find((entry) => entry.revision > revision);
      if (next) return next;
      await Promise.race([this.#changed.promise, aborted(signal)]);
    }
    return undefined;
  }
}

function isHttp(fault: WatchFault): boolean {
  return fault.kind === "unauthorized" || fault.kind === "server" || fault.kind === "expired";
}

function failure(kind: WatchFault["kind"]): KubeError {
  switch (kind) {
    case "unauthorized":
      return new KubeError("injected", { status: 401, reason: "Unauthorized" });
    case "server":
      return new KubeError("injected", { status: 500, reason: "InternalError" });
    case "expired":
      return new KubeError("injected", { status: 410, reason: "Expired" });
    case "expired-event":
      return streamError(410, "injected");
    case "error-event":
      return streamError(500, "injected");
    case "malformed":
      return new KubeError("injected", { status: 0, reason: CLIENT_REASON.malformed });
    case "network":
    case "end":
      return new KubeError("injected", { status: 0, reason: CLIENT_REASON.network });
  }
}

function streamError(status: number, message: string): WatchStreamError {
  return new WatchStreamError(message, { status, reason: "Injected" });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function keyOf(object: ConfigMap): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}
