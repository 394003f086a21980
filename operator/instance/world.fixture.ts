import fc from "fast-check";
import type { ClassSpec, InstanceSpecInput, OpenClawInstance } from "#crds/index.ts";
import type { KubeObject } from "#lib/kube/types.ts";
import { ConfigChecks } from "./config-checks.ts";
import { plan } from "./plan.fixture.ts";
import { aClass, anInstance, aView, carriedOut, NOW, OTHER_SLOT, readyPod, SLOT, withStatus } from "./view.fixture.ts";
import type { View } from "./view.ts";

/** Any of these, or the field is not there. */
function some<T>(...values: T[]): fc.Arbitrary<T | undefined> {
  return fc.constantFrom<T | undefined>(undefined, ...values);
}

/** An object of which any fields may be missing, and mostly are not. */
function partial<T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  const optional = Object.entries<fc.Arbitrary<unknown>>(fields).map(([key, value]) => [
    key,
    fc.option(value, { nil: undefined, freq: 6 }),
  ]);
  const all = fc.record(Object.fromEntries(optional) as Record<string, fc.Arbitrary<unknown>>);
  return all.map((object) => JSON.parse(JSON.stringify(object)) as Partial<T>);
}

const time = fc.constantFrom(
  new Date(NOW).toISOString(),
  new Date(NOW - 3_600_000).toISOString(),
  new Date(NOW + 3_600_000).toISOString(),
  "",
  "yesterday",
);
const word = fc.oneof(fc.constantFrom("", "Ready", "True", "NodeLost"), fc.string({ maxLength: 5 }));
const terminated = partial({ exitCode: fc.constantFrom(0, 1, 78, 137), reason: word, message: word, finishedAt: time });
const running = partial({ startedAt: time });
const waiting = partial({
  reason: fc.constantFrom("ContainerCreating", "ErrImagePull", "CrashLoopBackOff", "x"),
  message: word,
});
const containerState = fc.oneof(
  fc.record({ running }),
  fc.record({ waiting }),
  fc.record({ terminated }),
  partial({ running, waiting, terminated }),
  fc.constant({}),
);
/** The status of a pod. */
export const podStatus = partial({
  phase: fc.constantFrom("Pending", "Running", "Failed", "Succeeded", "Unknown", "Strange"),
  reason: fc.constantFrom("Evicted", "NodeLost", "x"),
  message: word,
  podIP: fc.constantFrom("10.0.0.7", "fd00::7", ""),
  startTime: time,
  conditions: fc.array(
    partial({
      type: fc.constantFrom("Ready", "PodScheduled", "DisruptionTarget"),
      status: fc.constantFrom("True", "False", "Unknown", "x"),
      reason: fc.constantFrom("Unschedulable", "x"),
      message: word,
      lastTransitionTime: time,
    }),
    { maxLength: 3 },
  ),
  containerStatuses: fc.array(
    partial({
      name: fc.constantFrom("openclaw", "x"),
      image: word,
      ready: fc.boolean(),
      restartCount: fc.nat({ max: 5 }),
      state: containerState,
      lastState: containerState,
    }),
    { maxLength: 2 },
  ),
});
const claimStatus = partial({
  phase: fc.constantFrom("Pending", "Bound", "Lost", "x"),
  capacity: partial({ storage: fc.constantFrom("1Gi", "9Gi", "much") }),
});
/** Ours, so the apiserver has checked its form; the words may be those of another version. */
const instanceStatus = partial({
  observedGeneration: fc.nat({ max: 3 }),
  phase: fc.constantFrom("Provisioning", "Ready", "Failed", "Strange"),
  conditions: fc.array(
    fc.record({
      type: fc.constantFrom("Ready", "GatewayReachable", "PodReady", "x"),
      status: fc.constantFrom("True", "False", "Unknown"),
      reason: word,
      message: word,
      lastTransitionTime: time,
    }),
    { maxLength: 3 },
  ),
  runtime: fc.record(
    {
      name: fc.constant("openclaw-alice"),
      slot: fc.constantFrom(SLOT, OTHER_SLOT, "no slot"),
      keyId: fc.constantFrom("00000000", "x"),
      podUID: fc.constantFrom("uid-1", "x"),
      startedAt: time,
    },
    { requiredKeys: ["name", "slot", "keyId"] },
  ),
  observedRestart: time,
  restarts: fc.nat({ max: 3 }),
  failure: fc.record({
    step: fc.constantFrom("pod", "config", "x"),
    reason: fc.constantFrom("Evicted", "NodeLost", "x"),
    message: word,
    since: time,
  }),
});

const instanceSpec: fc.Arbitrary<Partial<InstanceSpecInput>> = partial({
  runPolicy: fc.constantFrom("OnDemand" as const, "Always" as const, "Stopped" as const),
  image: fc.constantFrom("registry.test/openclaw:2026.10.0"),
  model: fc.constantFrom({ default: "default" }, { default: "huge" }),
  gateway: fc.constantFrom({ toolsDeny: ["nodes"] }, { config: { gateway: { port: 1 } } }, { config: { ui: {} } }),
  storage: fc.constantFrom({ size: "9Gi" }, { size: "1Gi" }),
  network: fc.constantFrom(
    { egress: [{ cidr: "203.0.113.0/24", ports: [22] }] },
    { egress: [{ cidr: "10.0.0.0/8", ports: [22] }] },
  ),
  restartedAt: fc.constantFrom("2026-11-23T09:00:00Z"),
  deletionPolicy: fc.constantFrom("Delete" as const, "Retain" as const),
});
const classSpec: fc.Arbitrary<Partial<ClassSpec>> = partial({
  image: fc.constantFrom("registry.test/openclaw:2026.11.0"),
  deletionPolicy: fc.constantFrom("Delete" as const, "Retain" as const),
  agent: fc.constantFrom({ exec: "Deny" as const }),
  drainSeconds: fc.constantFrom(60),
});

/** What may have become of a child since an operator made it. */
const fate = fc.constantFrom(
  "kept",
  "kept",
  "kept",
  "kept",
  "missing",
  "foreign",
  "of an earlier",
  "ending",
  "stripped",
  "emptied",
  "edited",
);
type Fate = typeof fate extends fc.Arbitrary<infer F> ? F : never;

function suffer<T extends KubeObject>(child: T | undefined, what: Fate): T | undefined {
  if (!child) return undefined;
  const { metadata } = child;
  const owner = metadata.ownerReferences?.[0];
  switch (what) {
    case "kept":
      return child;
    case "missing":
      return undefined;
    case "foreign":
      return { ...child, metadata: { name: metadata.name, uid: "foreign" } };
    case "of an earlier":
      return {
        ...child,
        metadata: { ...metadata, ...(owner ? { ownerReferences: [{ ...owner, uid: "earlier" }] } : {}) },
      };
    case "ending":
      return { ...child, metadata: { ...metadata, deletionTimestamp: "2026-11-23T10:00:00Z" } };
    case "stripped":
      return { ...child, metadata: { ...metadata, labels: {}, annotations: {} } };
    case "emptied":
      return { ...child, data: {}, spec: { containers: [] } };
    case "edited":
      return {
        ...child,
        data: { more: "x" },
        metadata: { ...metadata, annotations: { ...metadata.annotations, more: "x" } },
      };
    default:
      return child;
  }
}

/** What an operator met once, and what it finds now. */
export const world = fc.record({
  before: instanceSpec,
  now: instanceSpec,
  classBefore: classSpec,
  classNow: fc.option(classSpec, { nil: undefined, freq: 10 }),
  status: fc.option(instanceStatus, { nil: undefined }),
  fates: fc.record({
    secret: fate,
    configMap: fate,
    claim: fate,
    service: fate,
    classPolicy: fate,
    instancePolicy: fate,
    pod: fate,
  }),
  bare: fc.boolean(),
  podStatus: fc.oneof(fc.constant(readyPod()), { weight: 3, arbitrary: podStatus }, some({})),
  scheduled: fc.boolean(),
  claimStatus: fc.oneof(fc.constant({ phase: "Bound" }), claimStatus, some({})),
  gateway: some(
    { reachable: true } as const,
    { reachable: false, reason: "GatewayUnauthorized", message: "no" } as const,
  ),
  replaceAfter: some(NOW - 1, NOW + 5_000),
  drain: some("Busy" as const, "Idle" as const, "Deaf" as const),
  hasTurn: fc.boolean(),
  checked: fc.boolean(),
  drainBegun: some(0, -30_000, -90_000),
});
export type World = typeof world extends fc.Arbitrary<infer W> ? W : never;

/** A view of a world in which an operator was at work once, and whatever happened since. */
export function viewOf(w: World): View {
  const first = aView({ instance: anInstance(w.before), class: aClass(w.classBefore) });
  const made = w.bare ? first : carriedOut(first, plan(first).writes);
  const pod = made.pod && withStatus(made.pod, (w.podStatus ?? {}) as never);
  const claim = made.claim && { ...made.claim, status: w.claimStatus as never };
  const drain = w.drainBegun === undefined ? undefined : drainOf(pod?.metadata.uid ?? "", NOW + w.drainBegun);
  const status = (w.status && { ...w.status, ...(drain ? { drain } : {}) }) as OpenClawInstance["status"];
  return {
    ...made,
    instance: { ...anInstance(w.now, status), metadata: { ...anInstance().metadata, generation: 2 } },
    class: w.classNow && aClass(w.classNow),
    secret: suffer(made.secret, w.fates.secret),
    configMap: suffer(made.configMap, w.fates.configMap),
    claim: suffer(claim, w.fates.claim),
    service: suffer(made.service, w.fates.service),
    classPolicy: suffer(made.classPolicy, w.fates.classPolicy),
    instancePolicy: suffer(made.instancePolicy, w.fates.instancePolicy),
    pod: suffer(w.scheduled || !pod ? pod : { ...pod, spec: { containers: pod.spec?.containers ?? [] } }, w.fates.pod),
    gateway: w.gateway,
    replaceAfter: w.replaceAfter,
    drain: w.drain,
    hasTurn: w.hasTurn,
    checks: w.checked ? made.checks : new ConfigChecks(() => undefined),
  };
}

function drainOf(podUID: string, since: number): object {
  return { podUID, since: new Date(since).toISOString(), until: new Date(since + 60_000).toISOString() };
}
