import { isIP, isIPv6 } from "node:net";
import { CONDITION, type OpenClawInstance, PHASE, type Tenant } from "#crds/index.ts";
import { findKey, gatewayToken, type KeyRing } from "#lib/keys.ts";
import { findCondition } from "#lib/kube/conditions.ts";
import { ApiError } from "../errors.ts";
import type { InstanceDirectory } from "./directory.ts";
import { phaseOf } from "./phase.ts";
import type { InstanceService } from "./service.ts";

/** Where a tenant's gateway is and how to be let in. The token is full power over that pod: it goes nowhere else. */
export interface Upstream {
  /** `http://<pod address>:<port>` */
  readonly origin: string;
  readonly token: string;
}

/** Finds the tenant's own gateway; throws ApiError 404, 409 or 503 where there is none to call. */
export type ResolveUpstream = (tenant: Tenant) => Promise<Upstream>;

/** Seconds to wait for a pod that is being replaced. */
export const INSTANCE_RETRY_SECONDS = 2;

/**
 * Resolves through the cache. A ready instance is called even while the apiserver is away: its pod lets nobody in who has the
 * wrong slot's token. Only "there is none" and "not ready" must be fresh.
 */
export function upstreamResolver(o: {
  directory: InstanceDirectory;
  instances: Pick<InstanceService, "get">;
  keyRing: KeyRing;
}): ResolveUpstream {
  /** By the object in the cache, which is another one after each change: the token is a hash, too much for every call. */
  const known = new WeakMap<OpenClawInstance, Upstream>();

  function remember(instance: OpenClawInstance): Upstream {
    const upstream = upstreamOf(instance, o.keyRing);
    known.set(instance, upstream);
    return upstream;
  }

  return async (tenant) => {
    const cached = o.directory.find(tenant);
    if (cached && phaseOf(cached) === PHASE.Ready) return known.get(cached) ?? remember(cached);
    const instance = await o.instances.get(tenant);
    if (!instance) throw new ApiError("instance_not_found", "instance not found", { step: "get_instance" });
    return upstreamOf(instance, o.keyRing);
  };
}

/**
 * The gateway of an instance.
 * @throws ApiError 409 by its phase with reason and step; 503 when it is ready but its address is not known.
 */
export function upstreamOf(instance: OpenClawInstance, keyRing: KeyRing): Upstream {
  refuseByPhase(instance);
  const { podIP = "", port, slot, keyId = "" } = instance.status?.runtime ?? {};
  const key = findKey(keyRing, keyId);
  if (!isIP(podIP) || !port || !slot || !key) {
    throw new ApiError("instance_unreachable", "the instance has no address right now", {
      step: "get_instance",
      retryAfterSeconds: INSTANCE_RETRY_SECONDS,
      logReason: key ? "no address in status.runtime" : `root key ${keyId} is not in the key ring`,
    });
  }
  return { origin: `http://${isIPv6(podIP) ? `[${podIP}]` : podIP}:${port}`, token: gatewayToken(key, slot) };
}

function refuseByPhase(instance: OpenClawInstance): void {
  const { step, reason, text } = culprit(instance);
  switch (phaseOf(instance)) {
    case PHASE.Ready:
      return;
    case PHASE.Stopped:
      throw new ApiError("instance_suspended", "suspended: POST /api/openclaw/instance starts it again", { step });
    case PHASE.Terminating:
      throw new ApiError("instance_deleting", "the instance is being deleted", { step });
    case PHASE.Failed:
      throw new ApiError("instance_failed", `${reason}: ${text}`, { step });
    default:
      throw new ApiError("instance_not_ready", `not ready: ${reason}: ${text}`, { step, retryAfterSeconds: 2 });
  }
}

/** The link of the chain that isn't well, by the operator's own judgement where it made one. */
function culprit({ status }: OpenClawInstance): { step: string; reason: string; text: string } {
  if (status?.failure)
    return { step: status.failure.step, reason: status.failure.reason, text: status.failure.message };
  const broken = (status?.conditions ?? []).find(
    (condition) => condition.status !== "True" && condition.type !== CONDITION.Ready,
  );
  const told = broken ?? findCondition(status?.conditions, CONDITION.Ready);
  return {
    step: STEP_BY_CONDITION[told?.type ?? ""] ?? "provision_instance",
    reason: told?.reason ?? "Pending",
    text: told?.message || "it is being set up",
  };
}

const STEP_BY_CONDITION: Readonly<Record<string, string>> = {
  [CONDITION.ClassFound]: "class",
  [CONDITION.ConfigValid]: "config",
  [CONDITION.StorageReady]: "storage",
  [CONDITION.PodReady]: "pod",
  [CONDITION.GatewayReachable]: "gateway",
  [CONDITION.ModelConfigured]: "model",
};
