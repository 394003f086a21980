import { REASON, REPLACED_BY_ITSELF, type Reason, STEP, type Step } from "#crds/index.ts";
import {
  CONFIG_MAPS,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICES,
} from "#lib/kube/resource.ts";

/*
 * The series that are there from the start, at 0: of one that begins with its first count no query sees an increase. What is
 * not among them is counted all the same.
 */

/** What a child may be refused for. */
const REFUSALS = [REASON.NameTaken, REASON.QuotaExceeded, REASON.ChildRefused, REASON.ReconcileFailed] as const;

/** What instances fail of, link by link of the chain. */
export const FAILURES: Readonly<Partial<Record<Step, readonly Reason[]>>> = {
  [STEP.Class]: [REASON.ClassNotFound],
  [STEP.Model]: [REASON.ModelNotFound],
  [STEP.Config]: [
    ...REFUSALS,
    REASON.ForbiddenConfigKey,
    REASON.ConfigRejected,
    REASON.CheckFailed,
    REASON.OutOfMemory,
    REASON.RolledBack,
  ],
  [STEP.Secret]: REFUSALS,
  [STEP.Storage]: [
    ...REFUSALS,
    REASON.ClaimPending,
    REASON.ClaimLost,
    REASON.ClaimTerminating,
    REASON.StorageFull,
    REASON.StateUnusable,
  ],
  [STEP.Network]: REFUSALS,
  [STEP.Pod]: [
    ...REFUSALS,
    REASON.Unschedulable,
    REASON.ImagePullFailed,
    REASON.ContainerCreateFailed,
    REASON.CrashLoop,
    REASON.OutOfMemory,
    REASON.PodNotReady,
    REASON.PodTerminating,
    REASON.PodFailed,
    REASON.Evicted,
    REASON.NodeLost,
  ],
  [STEP.Gateway]: [REASON.GatewayUnauthorized, REASON.GatewaySilent, REASON.GatewayError],
};

/** Why pods are replaced. */
export const REPLACED_BECAUSE: readonly string[] = [...REPLACED_BY_ITSELF, REASON.PodTerminating];

/** Kinds of children. */
export const CHILD_KINDS = [SECRETS, CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, SERVICES, NETWORK_POLICIES, PODS].map(
  ({ kind }) => kind,
);
