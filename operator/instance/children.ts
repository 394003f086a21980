import { type OpenClawClass, type OpenClawInstance, STEP, type Step } from "#crds/index.ts";
import { CONFIG_MAPS, NETWORK_POLICIES, PERSISTENT_VOLUME_CLAIMS, SECRETS, SERVICES } from "#lib/kube/resource.ts";
import type { KubeObject, ResourceType } from "#lib/kube/types.ts";
import { buildClaim, claimMetadata, deletionPolicy, growthPatch, ownershipPatch } from "../build/claim.ts";
import { buildConfigMap } from "../build/config-map.ts";
import { runtimeName } from "../build/identity.ts";
import { buildClassPolicy, buildInstancePolicy } from "../build/network-policy.ts";
import { buildSecret } from "../build/secret.ts";
import { buildService } from "../build/service.ts";
import { nameTaken } from "./blocked.ts";
import { claimStanding, classPolicyStanding, type Standing, standingOf } from "./ownership.ts";
import type { Settings } from "./settings.ts";
import type { Slot } from "./slot.ts";
import type { Blocked } from "./verdict.ts";
import type { View } from "./view.ts";
import { type Write, write } from "./write.ts";

/** What is to be done about everything but the pod. */
export interface ChildrenPlan {
  readonly writes: Write[];
  readonly blocked: Blocked | undefined;
  /** The volume is to become, or to be no more, the instance's own: until it has, the spec does not count as observed. */
  readonly reowns: boolean;
  /** Nothing stands in the way of a pod once the writes are done. */
  readonly complete: boolean;
}

/** The configuration to write; what is there stays while it is undefined. */
export interface WantedConfig {
  readonly file: { readonly text: string; readonly image: string } | undefined;
  /** False for a spec that cannot be carried out. */
  readonly valid: boolean;
}

interface Child {
  readonly standing: Standing;
  readonly step: Step;
  readonly kind: string;
  readonly name: string;
  readonly writes: Write[];
}

/** Plans the children in the order a pod needs them; ends at the first whose name is not ours to use. */
export function planChildren(view: View, settings: Settings, slot: Slot, config: WantedConfig): ChildrenPlan {
  const { class: plan } = view;
  const writes = claimOwnership(view, slot);
  const reowns = writes.length > 0;
  if (!plan) return { writes, reowns, blocked: undefined, complete: false };
  for (const child of childrenOf(view, plan, settings, slot, config)) {
    if (child.standing === "taken") {
      return { writes, reowns, blocked: nameTaken(child.step, child.kind, child.name), complete: false };
    }
    // Its deletion wakes us.
    if (child.standing === "leaving") return { writes, reowns, blocked: undefined, complete: false };
    writes.push(...child.writes);
  }
  return { writes, reowns, blocked: undefined, complete: true };
}

function childrenOf(
  view: View,
  plan: OpenClawClass,
  settings: Settings,
  slot: Slot,
  { file, valid }: WantedConfig,
): Child[] {
  const { instance } = view;
  const network = buildClassPolicy(plan, instance.metadata.namespace ?? "", settings);
  return [
    // First, for it does not depend on this instance: until a policy selects them, pods of the class may talk to anyone.
    {
      standing: classPolicyStanding(view.classPolicy, plan.metadata.name),
      step: STEP.Network,
      kind: NETWORK_POLICIES.kind,
      name: network.metadata.name,
      writes: ensure(STEP.Network, NETWORK_POLICIES, view.classPolicy, network),
    },
    own(instance, STEP.Secret, SECRETS, view.secret, buildSecret(instance, slot.id, slot.key)),
    // Without a valid configuration the one that is there stays.
    ...(file === undefined
      ? []
      : [own(instance, STEP.Config, CONFIG_MAPS, view.configMap, buildConfigMap(instance, file.text, file.image))]),
    claim(view, plan, slot),
    own(instance, STEP.Network, SERVICES, view.service, buildService(instance, slot.id)),
    // A refused spec opens nothing and closes nothing.
    ...(!valid
      ? []
      : [own(instance, STEP.Network, NETWORK_POLICIES, view.instancePolicy, buildInstancePolicy(instance, slot.id))]),
  ];
}

function own<T extends KubeObject>(
  instance: OpenClawInstance,
  step: Step,
  type: ResourceType<T>,
  live: T | undefined,
  body: T | undefined,
): Child {
  const standing = standingOf(live, instance);
  const unwanted = live && !body;
  return {
    // What is not ours and not wanted either is none of our business.
    standing: unwanted && standing !== "ours" ? "absent" : standing,
    step,
    kind: type.kind,
    name: runtimeName(instance),
    writes: unwanted ? (standing === "ours" ? remove(step, type, live) : []) : ensure(step, type, live, body),
  };
}

function ensure<T extends KubeObject>(
  step: Step,
  type: ResourceType<T>,
  live: T | undefined,
  body: T | undefined,
): Write[] {
  if (!body) return [];
  return [write(live ? { verb: "apply", step, type, live, body } : { verb: "create", step, type, body })];
}

function remove<T extends KubeObject>(step: Step, type: ResourceType<T>, live: T): Write[] {
  return live.metadata.deletionTimestamp ? [] : [write({ verb: "delete", step, type, live })];
}

/**
 * A claim is created whole and then only patched where it may change: an apply would have to name its immutable fields, and
 * those are not the same for a claim that another class or a default gave its storage class.
 */
function claim(view: View, plan: OpenClawClass, slot: Slot): Child {
  const { instance, claim: live } = view;
  const standing = claimStanding(live, instance);
  const body = buildClaim(instance, plan.spec, slot.id, live);
  const patch = live && growthPatch(live, body);
  const type = PERSISTENT_VOLUME_CLAIMS;
  const step = STEP.Storage;
  return {
    // One of ours that is being deleted cannot be mounted anew, and what uses it keeps it until then.
    standing: standing === "ours" && live?.metadata.deletionTimestamp ? "leaving" : standing,
    step,
    kind: type.kind,
    name: body.metadata.name,
    writes: live ? (patch ? [write({ verb: "patch", step, type, live, patch })] : []) : ensure(step, type, live, body),
  };
}

/** Whether the volume outlives the instance depends on no other child, nor on a class, so it is seen to before all of them. */
function claimOwnership({ instance, class: plan, claim: live }: View, slot: Slot): Write[] {
  const policy = deletionPolicy(instance, plan?.spec);
  if (!live || !policy || claimStanding(live, instance) !== "ours") return [];
  const patch = ownershipPatch(live, claimMetadata(instance, slot.id, policy));
  return patch ? [write({ verb: "patch", step: STEP.Storage, type: PERSISTENT_VOLUME_CLAIMS, live, patch })] : [];
}
