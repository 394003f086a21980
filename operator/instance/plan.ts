import { ANNOTATION, type InstanceDrain, type OpenClawClass, REASON, STEP } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { CONFIG_FILE } from "../build/config-map.ts";
import { digest } from "../build/digest.ts";
import { buildPod } from "../build/pod.ts";
import { planChildren } from "./children.ts";
import { type RenderedConfig, renderConfig } from "./config.ts";
import { drainOf } from "./drain.ts";
import { gatewayTarget, judgeGateway, type ProbeTarget, probeTarget } from "./gateway.ts";
import { outdatedBy } from "./outdated.ts";
import { standingOf } from "./ownership.ts";
import { type PodPlan, planPod } from "./pod-plan.ts";
import type { Settings } from "./settings.ts";
import { type Slot, slotOf } from "./slot.ts";
import { judgeStorage } from "./storage.ts";
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
  readonly rollout: RolloutStage;
  /** The gateway to call, beside the reconcile. */
  readonly probe: ProbeTarget | undefined;
  /** What is to be asked of a gateway that works, beside the reconcile; undefined = nothing. */
  readonly errand: { readonly kind: "drain" | "resume"; readonly target: ProbeTarget } | undefined;
  /** The drain that goes on, for the status. */
  readonly drain: InstanceDrain | undefined;
  /** A pod that runs goes on as it is. */
  readonly stays: boolean;
  /** When to look again although nothing changed (epoch milliseconds). */
  readonly wakeAt: number | undefined;
}

/**
 * What an instance needs now. Pure: `now` in epoch milliseconds, `newSlot` the slot to use should it have none yet.
 * A spec that cannot be carried out changes nothing: what runs goes on running as it was.
 */
export function planInstance(view: View, settings: Settings, now: number, newSlot: string): Plan {
  const slot = slotOf(view, settings.keyRing, newSlot);
  const config = configOf(view, settings);
  const wantedPod = podOf(view, settings, slot, config);
  const waits = !view.hasTurn && config.text !== undefined && needsTurn(view, wantedPod, now);
  // A container that restarts in place reads the configuration anew: what waits for its turn keeps the one of before.
  const keepConfig = waits && currentDigest(view) !== undefined;
  const children = planChildren(view, settings, slot, config.text, { keepConfig });
  // A refused spec replaces no pod: it only gives back one that is missing.
  const mayReplace = config.text !== undefined && !waits;
  const pod = planPod(view, children.complete ? wantedPod : undefined, now, mayReplace);
  const judgement = judge(view, config, pod.verdict, now);
  return {
    writes: [...children.writes, ...pod.writes],
    judgement,
    slot,
    blocked: children.blocked ?? pod.blocked,
    rollout: waits ? "waits" : isCurrent(view, wantedPod, judgement) ? "current" : "underWay",
    probe: probeTarget(view, slot),
    errand: errandOf(view, pod, slot),
    drain: pod.drain,
    stays: pod.stays ?? false,
    wakeAt: earliest(pod.wakeAt, ...Object.values(judgement).map(({ failsAt }) => failsAt)),
  };
}

/** Only a drain that the status tells of is begun, so a pod that stays is given back its work only where it does. */
function errandOf({ instance, pod }: View, plan: PodPlan, slot: Slot): Plan["errand"] {
  if (!pod || !drainOf(instance, pod)) return undefined;
  const kind = plan.drain ? "drain" : "resume";
  const target = plan.drain || plan.stays ? gatewayTarget(pod, slot) : undefined;
  return target && { kind, target };
}

/** Runs what it should, or should not run at all. */
function isCurrent({ instance, pod }: View, wanted: Pod | undefined, judgement: Judgement): boolean {
  if (instance.spec.runPolicy === "Stopped") return true;
  const serves = judgement.PodReady.status === "True" && judgement.GatewayReachable.status === "True";
  return serves && pod !== undefined && wanted !== undefined && outdatedBy(instance, pod, wanted) === undefined;
}

function configOf(view: View, settings: Settings): RenderedConfig {
  if (view.class) return renderConfig(view.instance, view.class, settings.modelGatewayUrl);
  const waits = unknown("Waits for the class.");
  return { text: undefined, configValid: waits, modelConfigured: waits };
}

/** Built from the configuration the spec gives, or while it gives none from the one that is there; else not at all. */
function podOf(view: View, settings: Settings, slot: Slot, config: RenderedConfig): Pod | undefined {
  const configDigest = config.text === undefined ? currentDigest(view) : digest(config.text);
  if (!view.class || configDigest === undefined) return undefined;
  const inputs = { slot: slot.id, keyId: slot.key.id, configDigest, operatorVersion: settings.operatorVersion };
  return buildPod(view.instance, view.class, { ...inputs, rollout: view.hasTurn });
}

/** Digest of the configuration that is there; undefined when it is not what we wrote, for then nobody vouches for it. */
function currentDigest({ configMap, instance }: View): string | undefined {
  if (standingOf(configMap, instance) !== "ours") return undefined;
  const current = configMap?.data?.[CONFIG_FILE];
  return current === configMap?.metadata.annotations?.[ANNOTATION.configDigest] ? current : undefined;
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
