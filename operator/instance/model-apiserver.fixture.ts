import { isRecord } from "#lib/kube/canonical-json.ts";
import type { JsonPatchOperation, KubeClient } from "#lib/kube/client.ts";
import { KubeError } from "#lib/kube/errors.ts";
import { NETWORK_POLICIES, PERSISTENT_VOLUME_CLAIMS, PODS, type Pod } from "#lib/kube/resource.ts";
import type { KubeObject, ResourceType } from "#lib/kube/types.ts";
import { createLogger } from "#lib/log.ts";
import { checkName } from "../build/check-pod.ts";
import { classPolicyName } from "../build/network-policy.ts";
import { trimConfigMap, trimPod, trimSecret } from "../cache/trim.ts";
import { type ActContext, carryOut, type Outcome } from "./act.ts";
import { edited } from "./json-patch.fixture.ts";
import { NOW } from "./view.fixture.ts";
import type { View } from "./view.ts";
import type { Write } from "./write.ts";

/** The children in a view, by the plural of their kind; the policy of the class has a name of its own. */
const CHILDREN = {
  secret: "secrets",
  configMap: "configmaps",
  claim: PERSISTENT_VOLUME_CLAIMS.plural,
  service: "services",
  instancePolicy: NETWORK_POLICIES.plural,
  pod: PODS.plural,
} as const;

/**
 * An apiserver in memory that holds the children of one view, as caches would hold them, and takes the writes of plans: as
 * far as a plan can tell, it does with them what the real one does. Nothing else happens in it.
 */
export class ModelApiserver {
  readonly #objects = new Map<string, KubeObject>();
  readonly #view: View;
  #revision = 100;
  /** Every request so far, e.g. `apply Pod`. */
  readonly requests: string[] = [];

  constructor(view: View) {
    this.#view = view;
    for (const [slot, plural] of Object.entries(CHILDREN)) this.#take(plural, view[slot as keyof typeof CHILDREN]);
    this.#take(NETWORK_POLICIES.plural, view.classPolicy);
    this.#take(PODS.plural, view.checkPod);
  }

  /** The view as it is now. */
  get view(): View {
    const name = `openclaw-${this.#view.instance.metadata.name}`;
    const children = Object.entries(CHILDREN).map(([slot, plural]) => [slot, this.#objects.get(`${plural}/${name}`)]);
    const policy = classPolicyName(this.#view.instance.spec.className);
    const classPolicy = this.#objects.get(`${NETWORK_POLICIES.plural}/${policy}`);
    const checkPod = this.#objects.get(`${PODS.plural}/${checkName(this.#view.instance)}`);
    return { ...this.#view, ...Object.fromEntries(children), classPolicy, checkPod } as View;
  }

  /** Carries out the writes of a plan, by the very code that does so in the operator. */
  carryOut(writes: readonly Write[]): Promise<Outcome> {
    const context: ActContext = {
      client: this.#client,
      operatorVersion: "1.2.3",
      assume: () => undefined,
      cached: (type, ref) => this.#objects.get(`${type.plural}/${ref.name}`) as never,
      sharing: new Map(),
      trackDeletion: async (_object, send) => void (await send()),
      hadAll: false,
      errorsLast: false,
      restored: () => undefined,
      signal: new AbortController().signal,
      log: createLogger("test", "silent"),
    };
    return carryOut(writes, context);
  }

  readonly #client = {
    get: (type: ResourceType, { name }: { name: string }) =>
      Promise.resolve(this.#objects.get(`${type.plural}/${name}`)),
    apply: (type: ResourceType, body: KubeObject) => this.#apply(type, body),
    mergePatch: (type: ResourceType, { name }: { name: string }, patch: object) => this.#patch(type, name, patch),
    jsonPatch: (type: ResourceType, { name }: { name: string }, operations: readonly JsonPatchOperation[]) =>
      this.#edit(type, name, operations),
    delete: (type: ResourceType, { name }: { name: string }) => this.#delete(type, name),
  } as unknown as KubeClient;

  #take(plural: string, object: KubeObject | undefined): void {
    if (object) this.#objects.set(`${plural}/${object.metadata.name}`, object);
  }

  #store(type: ResourceType, object: KubeObject): Promise<KubeObject> {
    this.#revision += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#revision) };
    const stored = { ...object, metadata };
    this.#take(type.plural, stored);
    return Promise.resolve(stored);
  }

  #apply(type: ResourceType, { metadata: { resourceVersion, ...metadata }, ...body }: KubeObject): Promise<KubeObject> {
    this.requests.push(`apply ${type.kind}`);
    const live = this.#objects.get(`${type.plural}/${metadata.name}`);
    const elsewhere = metadata.uid !== undefined && metadata.uid !== live?.metadata.uid;
    if (elsewhere || (live && resourceVersion !== undefined)) return Promise.reject(conflict());
    const taken = trim(structuredClone({ ...body, metadata })) as KubeObject & { data?: object };
    if (!live) {
      const made = { uid: `uid-${this.#revision}`, creationTimestamp: new Date(NOW).toISOString() };
      return this.#store(type, { ...taken, metadata: { ...taken.metadata, ...made } });
    }
    const labels = { ...live.metadata.labels, ...metadata.labels };
    const annotations = { ...live.metadata.annotations, ...metadata.annotations };
    // What others wrote beside stays.
    const data = taken.data && { data: { ...(live as { data?: object }).data, ...taken.data } };
    const merged = { ...live.metadata, ...metadata, labels, annotations };
    return this.#store(type, { ...live, ...taken, ...data, metadata: merged });
  }

  #edit(type: ResourceType, name: string, operations: readonly JsonPatchOperation[]): Promise<KubeObject> {
    this.requests.push(`edit ${type.kind}`);
    const live = this.#objects.get(`${type.plural}/${name}`);
    const seen = operations.find(({ path }) => path === "/metadata/resourceVersion");
    if (!live || !seen || !("value" in seen) || seen.value !== live.metadata.resourceVersion) {
      return Promise.reject(conflict());
    }
    return this.#store(type, edited(live, operations));
  }

  #patch(type: ResourceType, name: string, patch: object): Promise<KubeObject> {
    this.requests.push(`patch ${type.kind}`);
    const live = this.#objects.get(`${type.plural}/${name}`);
    const { uid } = ((patch as Partial<KubeObject>).metadata ?? {}) as { uid?: string };
    if (!live || (uid !== undefined && uid !== live.metadata.uid)) return Promise.reject(conflict());
    return this.#store(type, merged(live, patch) as KubeObject);
  }

  /** A pod that has a node and did not end is gone only when its node says so, which here never happens. */
  #delete(type: ResourceType, name: string): Promise<boolean> {
    this.requests.push(`delete ${type.kind}`);
    const key = `${type.plural}/${name}`;
    const live = this.#objects.get(key);
    const { spec, status } = (live ?? {}) as Pod;
    const ended = status?.phase === "Failed" || status?.phase === "Succeeded";
    const lingers = type.kind === PODS.kind && spec?.nodeName && !ended;
    if (!live || !lingers) return Promise.resolve(this.#objects.delete(key));
    const deletionTimestamp = live.metadata.deletionTimestamp ?? "2026-11-23T10:00:00Z";
    return this.#store(type, { ...live, metadata: { ...live.metadata, deletionTimestamp } }).then(() => true);
  }
}

function trim(object: KubeObject): KubeObject {
  if (object.kind === "Secret") return trimSecret(object as never);
  if (object.kind === "ConfigMap") return trimConfigMap(object as never);
  return object.kind === "Pod" ? { ...trimPod(object as never) } : object;
}

/** RFC 7386. */
function merged(live: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const result: Record<string, unknown> = isRecord(live) ? { ...live } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function conflict(): KubeError {
  return new KubeError("conflict", { status: 409, reason: "Conflict" });
}
