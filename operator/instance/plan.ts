import { ANNOTATION, type InstanceDrain, type OpenClawClass, REASON, STEP } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { digest } from "../build/digest.ts";
import { buildPod, runtimeImage } from "../build/pod.ts";
import { planChildren } from "./children.ts";
import { type RenderedConfig, renderConfig } from "./config.ts";
import type { CheckReport } from "./config-checks.ts";
import { drainOf } from "./drain.ts";
import { gatewayTarget, judgeGateway, type Probe, type ProbeTarget, probeTarget } from "./gateway.ts";
import { outdatedBy } from "./outdated.ts";
import { type PodPlan, planPod } from "./pod-plan.ts";
import { type Release, releaseInForce } from "./release.ts";
import { planRelease, type ReleasePlan, type ReleaseTurn } from "./release-plan.ts";
import type { Settings } from "./settings.ts";
import { type Slot, slotOf } from "./slot.ts";
import { judgeStorage } from "./storage.ts";
import { attemptId, rolledBack } from "./trial.ts";
import { needsTurn, type RolloutStage } from "./turn.ts";
import { type Blocked, fails, holds, type Judgement, unknown, type Verdict } from "./verdict.ts";
import type { View } from "./view.ts";
import type { Write } from "./write.ts";

/** What is to be done about an instance, and what to say of it meanwhile. */
export interface Plan {
  /** In this order. */
  readonly writes: readonly Write[];
  readonly judgement: Judgement;
  readonly slot: Slot;
  /** A child that cannot be as wanted. */
  readonly blocked: Blocked | undefined;
  /** The spec counts as observed only once the writes are done. */
  readonly reowns: boolean;
  readonly rollout: RolloutStage;
  /** The gateway to call, beside the reconcile. */
  readonly probe: Probe | undefined;
  /** What is to be asked of a gateway that works, beside the reconcile; undefined = nothing. */
  readonly errand: { readonly kind: "drain" | "resume"; readonly target: ProbeTarget } | undefined;
  /** The drain that goes on, for the status. */
  readonly drain: InstanceDrain | undefined;
  /** A pod that runs goes on as it is. */
  readonly stays: boolean;
  /** What this instance has to do with the check of a changed configuration. */
  readonly check: CheckReport | undefined;
  /** When to look again although nothing changed (epoch milliseconds). */
  readonly wakeAt: number | undefined;
}

/**
 * What an instance needs now. Pure: `now` in epoch milliseconds, `newSlot` the slot to use should it have none yet.
 * A spec that cannot be carried out changes nothing: what runs goes on running as it was.
 */
export function planInstance(view: View, settings: Settings, now: number, newSlot: string): Plan {
  const slot = slotOf(view, settings.keyRing, newSlot, now);
  const rendered = configOf(view, settings);
  const build = (release: Release | undefined) => podOf(view, settings, slot, release);
  const askedRelease = askedFor(view, rendered);
  const asked = build(askedRelease);
  // What was tried and gone back from is not tried again: there is nothing to have a turn for. Who tried it in its turn keeps that.
  const follows = rendered.text !== undefined && (view.hasTurn || !isGivenUp(view, askedRelease));
  const waits = !view.hasTurn && follows && needsTurn(view, asked, now);
  const release = releaseOf(view, rendered, { waits, isMadeFrom: (made, of) => isSamePod(made, build(of)) }, now);
  const { config: text, release: { image } = {} } = release;
  const file = text === undefined || image === undefined ? undefined : { text, image };
  const children = planChildren(view, settings, slot, { file, valid: rendered.text !== undefined });
  const wantedPod = children.complete ? build(release.release) : undefined;
  // Asked of the pod that would really be made: one that was gone back to is not what was asked for.
  const outOfTurn = !view.hasTurn && needsTurn(view, wantedPod, now);
  const pod = planPod(view, wantedPod, now, release.mayReplace && !outOfTurn);
  const judgement = judge(view, { ...rendered, configValid: release.configValid }, pod.verdict, now);
  return {
    writes: [...release.before, ...children.writes, ...pod.writes, ...release.after],
    judgement,
    slot,
    blocked: children.blocked ?? pod.blocked ?? release.blocked,
    reowns: children.reowns,
    rollout: waits ? "waits" : stageOf(view, follows ? asked : undefined, judgement),
    probe: probeTarget(view, slot),
    errand: errandOf(view, pod, slot),
    drain: pod.drain,
    stays: pod.stays ?? false,
    check: release.check,
    wakeAt: earliest(pod.wakeAt, release.wakeAt, ...Object.values(judgement).map(({ failsAt }) => failsAt)),
  };
}

/** Only a drain that the status tells of is begun, so a pod that stays is given back its work only where it does. */
function errandOf({ instance, pod }: View, plan: PodPlan, slot: Slot): Plan["errand"] {
  if (!pod || !drainOf(instance, pod)) return undefined;
  const kind = plan.drain ? "drain" : "resume";
  const target = plan.drain || plan.stays ? gatewayTarget(pod, slot) : undefined;
  return target && { kind, target };
}

/** Of an instance that needs no turn. */
function stageOf({ instance, pod }: View, wanted: Pod | undefined, judgement: Judgement): RolloutStage {
  if (instance.spec.runPolicy === "Stopped") return "current";
  const serves = judgement.PodReady.status === "True" && judgement.GatewayReachable.status === "True";
  if (!serves || !pod) return "underWay";
  if (!wanted) return "refused";
  return outdatedBy(instance, pod, wanted) === undefined ? "current" : "underWay";
}

function configOf(view: View, settings: Settings): RenderedConfig {
  if (view.class) return renderConfig(view.instance, view.class, settings.modelGatewayUrl);
  const waits = unknown("Waits for the class.");
  return { text: undefined, configValid: waits, modelConfigured: waits };
}

/** What the spec and the class ask for, whatever comes of it. */
function askedFor(view: View, { text }: RenderedConfig): Release | undefined {
  if (!view.class) return undefined;
  const configDigest = text === undefined ? releaseInForce(view, view.class)?.configDigest : digest(text);
  return configDigest === undefined ? undefined : { image: runtimeImage(view.instance, view.class.spec), configDigest };
}

function isGivenUp(view: View, asked: Release | undefined): boolean {
  return asked !== undefined && rolledBack(view)?.from === attemptId(view.instance, asked);
}

function releaseOf(view: View, rendered: RenderedConfig, turn: ReleaseTurn, now: number): ReleasePlan {
  if (view.class) return planRelease(view, view.class, rendered, turn, now);
  const { configValid } = rendered;
  return { release: undefined, config: undefined, mayReplace: false, configValid, before: [], after: [] };
}

function isSamePod(pod: Pod, wanted: Pod | undefined): boolean {
  return pod.metadata.annotations?.[ANNOTATION.podHash] === wanted?.metadata.annotations?.[ANNOTATION.podHash];
}

function podOf(view: View, settings: Settings, slot: Slot, release: Release | undefined): Pod | undefined {
  if (!view.class || !release) return undefined;
  const { keyRing, operatorVersion } = settings;
  const keys = { keyId: slot.key.id, newestKeyId: keyRing[0].id };
  return buildPod(view.instance, view.class, {
    slot: slot.id,
    ...keys,
    ...release,
    operatorVersion,
    rollout: view.hasTurn,
  });
}

function judge(view: View, config: RenderedConfig, pod: Verdict, now: number): Judgement {
  return {
    ClassFound: judgeClass(view.instance.spec.className, view.class),
    ConfigValid: pod.reason === REASON.ConfigRejected ? pod : config.configValid,
    ModelConfigured: config.modelConfigured,
    StorageReady: judgeStorage(view, now),
    PodReady: pod,
    GatewayReachable: judgeGateway(view, pod),
  };
}

function judgeClass(name: string, found: OpenClawClass | undefined): Verdict {
  if (found) return holds(`The class ${name} exists.`);
  const message = `There is no OpenClawClass "${name}". Create it, or name another in className; \`kubectl get clawclass\` lists them.`;
  return fails(STEP.Class, REASON.ClassNotFound, message);
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const set = times.filter((time) => time !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}
