import { ANNOTATION, OPERATOR_FIELD_MANAGER, STEP, type Step } from "#crds/index.ts";
import { appliedHash, applyIfChanged } from "#lib/kube/apply.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { isConflict } from "#lib/kube/errors.ts";
import { PODS } from "#lib/kube/resource.ts";
import { type KubeObject, type ObjectRef, type ResourceType, refKey } from "#lib/kube/types.ts";
import type { Logger } from "#lib/log.ts";
import { digestEntries } from "../build/digest.ts";
import { MANAGED_BY } from "../build/identity.ts";
import { nameTaken } from "./blocked.ts";
import type { Interference } from "./interference.ts";
import { isNodeGone } from "./node-check.ts";
import { lastingErrorOf, refusalOf } from "./refusal.ts";
import type { Blocked } from "./verdict.ts";
import type { Write } from "./write.ts";

/** What carrying out writes needs. */
export interface ActContext {
  readonly client: KubeClient;
  readonly operatorVersion: string;
  /** Takes an object the apiserver answered into its cache, so that the next plan sees our own write. */
  readonly assume: <T extends KubeObject>(type: ResourceType<T>, object: T) => void;
  /** The cached object of this kind and name. */
  readonly cached: <T extends KubeObject>(type: ResourceType<T>, ref: ObjectRef) => T | undefined;
  /** Writes of shared children under way, by kind and key. */
  readonly sharing: Map<string, Promise<Outcome>>;
  /** Asks for an object's deletion by `send`, so that plans made meanwhile take it for one that is ending. */
  readonly trackDeletion: (object: KubeObject, send: () => Promise<unknown>) => Promise<void>;
  /** What is missing was there before. */
  readonly hadAll: boolean;
  /** Hears of a child that is as wanted again after somebody else saw to it. */
  readonly restored: (child: KubeObject, done: Interference) => void;
  /** So many of this instance's reconciles failed in a row that the error is to be told, as a refusal is. */
  readonly errorsLast: boolean;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** `done`: all is written. `stale`: the cache was behind and now is not, so plan again. Else what stands in the way. */
export type Outcome = "done" | "stale" | Blocked;

/**
 * Carries writes out in order. A child that is refused and that a pod cannot do without ends the list; one that only stays
 * as it was does not, and the first such refusal is answered in the end.
 * @throws KubeError when the apiserver cannot be reached or fails; what was written before stays, and the next plan goes on from it.
 */
export async function carryOut(writes: readonly Write[], context: ActContext): Promise<Outcome> {
  const wrote: string[] = [];
  try {
    return await carryOutAll(writes, { ...context, wrote });
  } finally {
    // One line for all: a line for each was a tenth of the operator's work while instances came up.
    if (wrote.length > 0) context.log.info({ wrote }, "wrote children");
  }
}

/** With a note of each write that succeeded, in words. */
type Acting = ActContext & { readonly wrote: string[] };

async function carryOutAll(writes: readonly Write[], context: Acting): Promise<Outcome> {
  let refused: Blocked | undefined;
  for (const write of writes) {
    const outcome = await carryOutOne(write, context);
    if (outcome === "done") continue;
    if (outcome === "stale" || isNeeded(write)) return outcome;
    refused ??= { ...outcome, keepsNothing: true };
  }
  return refused ?? "done";
}

/**
 * What is missing, a pod must wait for. So it must for the new content of what it is built from: it carries the hash of
 * that, and would never be told from one that really has it. For the pod of a check only the change waits that it checks.
 */
function isNeeded({ verb, step, type }: Write): boolean {
  if (step === STEP.Config && type.kind === PODS.kind) return false;
  return verb === "create" || BUILT_FROM.has(step);
}

const BUILT_FROM: ReadonlySet<Step> = new Set([STEP.Secret, STEP.Config, STEP.Pod]);

async function carryOutOne(write: Write, context: Acting): Promise<Outcome> {
  try {
    return await perform(write, context);
  } catch (error) {
    // Another's write came between the cache and ours: the watch brings it soon, and the next plan judges it.
    if (isConflict(error)) return "stale";
    const lasts = context.errorsLast && !context.signal.aborted;
    const refusal = refusalOf(error, write) ?? (lasts ? lastingErrorOf(error, write) : undefined);
    if (!refusal) throw error;
    context.log.warn({ reason: refusal.reason, step: refusal.step }, refusal.message);
    return refusal;
  }
}

async function perform(write: Write, context: Acting): Promise<Outcome> {
  const { client, signal } = context;
  const { type } = write;
  switch (write.verb) {
    case "create":
      return inCommon(write, context, (cached) => (cached ? Promise.resolve("done") : create(write, context)));
    case "apply":
      return inCommon(write, context, (cached = write.live) => apply(write, cached, context));
    case "patch": {
      const o = { fieldManager: OPERATOR_FIELD_MANAGER, signal };
      took(context, type, await client.mergePatch(type, write.live.metadata, write.patch, o), "patched");
      return "done";
    }
    case "edit": {
      const { resourceVersion } = write.live.metadata;
      const seen = { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion } as const;
      const o = { fieldManager: OPERATOR_FIELD_MANAGER, signal };
      took(context, type, await client.jsonPatch(type, write.live.metadata, [seen, ...write.operations], o), "edited");
      return "done";
    }
    case "delete": {
      if (write.force === "nodeGone" && !(await isNodeGone(client, write.live, signal))) return "stale";
      const { uid } = write.live.metadata;
      const o = { ...(uid === undefined ? {} : { uid }), ...(write.force ? { gracePeriodSeconds: 0 } : {}), signal };
      const send = () => client.delete(type, write.live.metadata, o);
      await context.trackDeletion(write.live, send);
      context.wrote.push(`deleted ${type.kind} ${write.live.metadata.name}`);
      return "done";
    }
  }
}

/** No object ever has this resourceVersion: an apply that names it creates, and where something exists it is a conflict. */
const NEVER = "1";

/**
 * Creates by server-side apply, so that later applies may remove what this one set, yet never touches what is there already.
 * A repeat after a broken connection finds our own first try.
 */
async function create({ type, step, body }: Write & { verb: "create" }, context: Acting): Promise<Outcome> {
  const { client, signal } = context;
  const { hashAnnotation, versionAnnotation, version } = hashOptions(context);
  const annotations = {
    ...body.metadata.annotations,
    [hashAnnotation]: appliedHash(body),
    [versionAnnotation]: version,
  };
  const fresh = { ...body, metadata: { ...body.metadata, annotations, resourceVersion: NEVER } };
  try {
    const object = await client.apply(type, fresh, { fieldManager: OPERATOR_FIELD_MANAGER, signal });
    took(context, type, object, "created");
    // Pods come and go for many reasons; what replaces them is counted by these.
    if (context.hadAll && type.kind !== PODS.kind) context.restored(object, "deleted");
    return "done";
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
  const live = await client.get(type, body.metadata, { signal });
  // Gone again meanwhile, or ours and the cache has not heard of it: the next plan knows better.
  if (!live) return "stale";
  if (isLabelledOurs(live)) {
    context.assume(type, live);
    return "stale";
  }
  return nameTaken(step, type.kind, body.metadata.name);
}

async function apply({ type, body }: Write & { verb: "apply" }, live: KubeObject, context: Acting): Promise<Outcome> {
  const { client, signal } = context;
  const options = { ...hashOptions(context), fieldManager: OPERATOR_FIELD_MANAGER, signal };
  const is = withComparableData(live, body);
  const { object, written, restored } = await applyIfChanged(client, type, body, is, options);
  if (written) took(context, type, object, restored ? "put back" : "applied");
  if (restored) context.restored(object, "changed");
  return "done";
}

/**
 * What no instance owns, several may want at the same time: the first writes it, from what is there by now, and the others
 * wait for that.
 */
async function inCommon(
  { type, body }: Write & { verb: "create" | "apply" },
  context: Acting,
  perform: (cached?: KubeObject) => Promise<Outcome>,
): Promise<Outcome> {
  if (body.metadata.ownerReferences) return perform();
  const key = `${type.plural}/${refKey(body.metadata)}`;
  const underWay = context.sharing.get(key);
  if (underWay) return underWay;
  const writing = perform(context.cached(type, body.metadata)).finally(() => context.sharing.delete(key));
  context.sharing.set(key, writing);
  return writing;
}

function isLabelledOurs(object: KubeObject): boolean {
  return Object.entries(MANAGED_BY).every(([key, value]) => object.metadata.labels?.[key] === value);
}

function took<T extends KubeObject>(context: Acting, type: ResourceType<T>, object: T, what: string): void {
  context.assume(type, object);
  context.wrote.push(`${what} ${type.kind} ${object.metadata.name}`);
}

function hashOptions({ operatorVersion }: ActContext) {
  return {
    hashAnnotation: ANNOTATION.appliedHash,
    versionAnnotation: ANNOTATION.operatorVersion,
    version: operatorVersion,
  };
}

/** Caches hold digests of data. Where they are those of the wanted data, the data is as wanted. */
function withComparableData<T extends KubeObject>(live: T, body: T): T {
  const wanted = (body as { data?: Record<string, string> }).data;
  const cached = (live as { data?: Record<string, string> }).data;
  if (!wanted || !cached) return live;
  const digests = digestEntries(wanted);
  const data = Object.fromEntries(
    Object.entries(cached).map(([key, value]) => [key, value === digests[key] ? (wanted[key] ?? value) : value]),
  );
  return { ...live, data };
}
