import type { Readable } from "node:stream";
import type { Registry } from "prom-client";
import { type Clock, systemClock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type {
  ApplyOptions,
  CallOptions,
  CreateOptions,
  DeleteOptions,
  JsonPatchOperation,
  ListOptions,
  PatchOptions,
  WatchOptions,
} from "./calls.ts";
import { isRecord } from "./canonical-json.ts";
import type { KubeAccess } from "./config.ts";
import { CLIENT_REASON, isNotFound, KubeError } from "./errors.ts";
import { describeRequest, type TransportRequest } from "./exchange.ts";
import { cutManagedFields } from "./managed-fields.ts";
import { apiVersion } from "./resource.ts";
import { resourcePath } from "./resource-path.ts";
import { createTransport } from "./transport.ts";
import type { KubeObject, ObjectList, ObjectRef, ResourceType, WatchEvent } from "./types.ts";
import { readWatch } from "./watch.ts";

/**
 * The Kubernetes API as raw JSON over kept-alive connections. Calls throw `KubeError`, or the signal's reason once it aborted.
 * No object has its `managedFields`: nobody reads them, and they are half of what there is to parse and to keep.
 * Answers 429 and 503 with `Retry-After` are waited out; broken connections are retried for reads, `apply` and a `delete` by uid only.
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
  /**
   * JSON patch (RFC 6902): all operations or none. Replacing `/metadata/resourceVersion` by the one that was seen makes a change
   * by others a conflict.
   */
  jsonPatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    operations: readonly JsonPatchOperation[],
    o?: PatchOptions,
  ): Promise<T>;
  /** Asks for deletion; false = it was gone already. A `uid` or `resourceVersion` that no longer fits is a conflict. */
  delete(type: ResourceType, ref: ObjectRef, o?: DeleteOptions): Promise<boolean>;
  /** Events until the server ends the watch or the signal aborts (both end it quietly); anything else throws. */
  watch<T extends KubeObject>(type: ResourceType<T>, o: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Closes all connections; calls in flight fail. */
  close(): Promise<void>;
}

export type {
  ApplyOptions,
  CallOptions,
  CreateOptions,
  DeleteOptions,
  JsonPatchOperation,
  ListOptions,
  PatchOptions,
  Selection,
  WatchOptions,
} from "./calls.ts";

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
  const clock = o.clock ?? systemClock;
  const transport = createTransport({ ...o, access: o.config, clock });

  async function json<R>(request: TransportRequest): Promise<R> {
    const text = await transport.request(request);
    try {
      return JSON.parse(cutManagedFields(text)) as R;
    } catch (error) {
      throw malformed(`${describeRequest(request)}: the answer is not JSON`, error);
    }
  }

  return {
    async get(type, ref, call = {}) {
      try {
        return await json({ method: "GET", path: resourcePath(type, ref), ...limits(call) });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    async list(type, call = {}) {
      const { signal, timeoutMs, namespace, ...query } = call;
      const path = resourcePath(type, { namespace }, query);
      const list = await json<RawList>({ method: "GET", path, signal, timeoutMs });
      // Something in between may answer 200 in the apiserver's place: taken for an empty list, it would delete a whole cache.
      if (!isList(list)) throw malformed(`GET ${resourcePath(type, { namespace })}: the answer is no list`);
      // The items of a list say neither; every other way an object reaches us does.
      const typed = { apiVersion: apiVersion(type), kind: type.kind };
      const { resourceVersion = "", continue: next } = list.metadata;
      return {
        items: (list.items ?? []).map((item) => Object.assign(withoutManagedFields(item), typed) as never),
        resourceVersion,
        ...(next ? { continue: next } : {}),
      };
    },

    create: (type, object, call = {}) =>
      json({
        method: "POST",
        path: resourcePath(type, { namespace: object.metadata.namespace }, { fieldManager: call.fieldManager }),
        body: JSON.stringify(object),
        idempotent: call.retryUnanswered,
        ...limits(call),
      }),

    replace: (type, object, call = {}) =>
      json({
        method: "PUT",
        path: resourcePath(type, refOf(object), { fieldManager: call.fieldManager }),
        body: JSON.stringify(object),
        ...limits(call),
      }),

    apply: (type, object, call) =>
      json({
        method: "PATCH",
        path: resourcePath(type, refOf(object), { fieldManager: call.fieldManager, force: call.force ?? true }),
        // JSON is YAML.
        contentType: "application/apply-patch+yaml",
        body: JSON.stringify(object),
        idempotent: true,
        ...limits(call),
      }),

    mergePatch: (type, ref, patch, call = {}) =>
      json({
        method: "PATCH",
        path: resourcePath(
          type,
          { ...refParts(ref), subresource: call.subresource },
          { fieldManager: call.fieldManager },
        ),
        contentType: "application/merge-patch+json",
        body: JSON.stringify(patch),
        ...limits(call),
      }),

    jsonPatch: (type, ref, operations, call = {}) =>
      json({
        method: "PATCH",
        path: resourcePath(
          type,
          { ...refParts(ref), subresource: call.subresource },
          { fieldManager: call.fieldManager },
        ),
        contentType: "application/json-patch+json",
        body: JSON.stringify(operations),
        ...limits(call),
      }),

    async delete(type, ref, call = {}) {
      const { signal, timeoutMs, uid, resourceVersion, ...rest } = call;
      const preconditions = uid || resourceVersion ? { preconditions: { uid, resourceVersion } } : {};
      const body = JSON.stringify({ apiVersion: "v1", kind: "DeleteOptions", ...rest, ...preconditions });
      try {
        // With a uid a second try cannot hit a namesake: it finds the object ending, or gone.
        const idempotent = uid !== undefined;
        const path = resourcePath(type, refParts(ref));
        await transport.request({ method: "DELETE", path, body, idempotent, signal, timeoutMs });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },

    async *watch(type, call) {
      const { signal, idleMs = DEFAULT_IDLE_MS, namespace, ...query } = call;
      const path = resourcePath(type, { namespace }, { ...query, watch: true, allowWatchBookmarks: true });
      const request = { method: "GET" as const, path, signal };
      if (signal.aborted) return;
      let body: Readable;
      try {
        body = await transport.stream(request);
      } catch (error) {
        if (signal.aborted) return;
        throw error;
      }
      yield* readWatch(body, { what: `watch of ${describeRequest(request)}`, idleMs, clock, signal });
    },

    close: () => transport.close(),
  };
}

/** Bookmarks come about once a minute. */
const DEFAULT_IDLE_MS = 150_000;

interface RawList {
  metadata: { resourceVersion?: string; continue?: string };
  items: RawItem[] | null;
}

interface RawItem {
  metadata: { managedFields?: unknown };
}

function withoutManagedFields(item: RawItem): RawItem {
  delete item.metadata.managedFields;
  return item;
}

function isList(answer: unknown): answer is RawList {
  return isRecord(answer) && isRecord(answer.metadata) && (Array.isArray(answer.items) || answer.items === null);
}

function malformed(message: string, cause?: unknown): KubeError {
  return new KubeError(message, { status: 0, reason: CLIENT_REASON.malformed, cause });
}

function limits(call: CallOptions) {
  return { signal: call.signal, timeoutMs: call.timeoutMs };
}

function refOf(object: KubeObject) {
  return refParts(object.metadata);
}

function refParts(ref: ObjectRef) {
  return { namespace: ref.namespace, name: ref.name };
}
