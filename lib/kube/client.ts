import type { Registry } from "prom-client";
import { type Clock, systemClock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { KubeAccess } from "./config.ts";
import type { KubeObject, ObjectList, ObjectRef, ResourceType, WatchEvent } from "./types.ts";

/** What every call takes: a signal to give up on, and its whole time limit in milliseconds (default 30 s, retries included). */
export interface CallOptions {
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}

/** Which objects: `namespace` absent = all namespaces; selectors in Kubernetes' text form. */
export interface Selection {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
}

export interface ListOptions extends CallOptions, Selection {
  resourceVersion?: string | undefined;
  resourceVersionMatch?: "Exact" | "NotOlderThan" | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
}

export interface CreateOptions extends CallOptions {
  fieldManager?: string | undefined;
  /** Also repeat after a broken connection. Then AlreadyExists may mean our own first try. */
  retryUnanswered?: boolean | undefined;
}

export interface ApplyOptions extends CallOptions {
  fieldManager: string;
  /** Take fields over from other managers (default true). */
  force?: boolean | undefined;
}

export interface PatchOptions extends CallOptions {
  subresource?: "status" | undefined;
  fieldManager?: string | undefined;
}

export interface DeleteOptions extends CallOptions {
  uid?: string | undefined;
  resourceVersion?: string | undefined;
  gracePeriodSeconds?: number | undefined;
  propagationPolicy?: "Background" | "Foreground" | "Orphan" | undefined;
}

export interface WatchOptions extends Selection {
  resourceVersion: string;
  /** After how long the server is to end the watch in good order. */
  timeoutSeconds?: number | undefined;
  /** Longest silence (no event, no bookmark) before the watch is given up as dead; default 150 s. */
  idleMs?: number | undefined;
  signal: AbortSignal;
}

/**
 * The Kubernetes API as raw JSON over kept-alive connections. Calls throw `KubeError`, or the signal's reason once it aborted.
 * Answers 429 and 503 with `Retry-After` are waited out; broken connections are retried for reads and `apply` only.
 */
export interface KubeClient {
  /** The object, or undefined when it is not there (404, nothing else). */
  get<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, o?: CallOptions): Promise<T | undefined>;
  /** One page of objects (all of them without `limit`), each with `apiVersion` and `kind`. */
  list<T extends KubeObject>(type: ResourceType<T>, o?: ListOptions): Promise<ObjectList<T>>;
  create<T extends KubeObject>(type: ResourceType<T>, object: T, o?: CreateOptions): Promise<T>;
  /** Writes the whole object; its `resourceVersion`, if set, must still be current. */
  replace<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    o?: CallOptions & { fieldManager?: string | undefined },
  ): Promise<T>;
  /** Server-side apply: exactly these fields are ours, those we had and no longer name are removed. */
  apply<T extends KubeObject>(type: ResourceType<T>, object: T, o: ApplyOptions): Promise<T>;
  /** JSON merge patch (RFC 7386): null removes, lists are replaced whole. */
  mergePatch<T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef, patch: object, o?: PatchOptions): Promise<T>;
  /** Asks for deletion; false = it was gone already. A `uid` or `resourceVersion` that no longer fits is a conflict. */
  delete(type: ResourceType, ref: ObjectRef, o?: DeleteOptions): Promise<boolean>;
  /** Events until the server ends the watch or the signal aborts (both end it quietly); anything else throws. */
  watch<T extends KubeObject>(type: ResourceType<T>, o: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** A GET answered as text, e.g. a pod's log. */
  rawText(path: string, o?: CallOptions): Promise<string>;
  /** Closes all connections; calls in flight fail. */
  close(): Promise<void>;
}

/** What a client is made of. Without a registry it counts into one of its own. */
export interface KubeClientOptions {
  config: KubeAccess;
  userAgent: string;
  log: Logger;
  registry?: Registry | undefined;
  clock?: Clock | undefined;
}

/** A client of the apiserver that `config` names. */
export function createKubeClient(o: KubeClientOptions): KubeClient {
  throw new Error(`not built yet: ${(o.clock ?? systemClock).now()}`);
}
