import type { OpenClawClass, OpenClawInstance } from "#crds/index.ts";
import type { ConfigMap, NetworkPolicy, PersistentVolumeClaim, Pod, Secret, Service } from "#lib/kube/resource.ts";
import type { DrainVerdict } from "../probe/gateway-drainer.ts";
import type { GatewayVerdict } from "../probe/gateway-verdict.ts";
import type { CheckBoard } from "./config-checks.ts";
import type { NodeState } from "./node-state.ts";

/** All that a plan is made from: what the caches hold under an instance's names, whoever owns it. */
export interface View {
  readonly instance: OpenClawInstance;
  /** The class the instance names, if there is one. */
  readonly class: OpenClawClass | undefined;
  /** With digests in place of data. */
  readonly secret: Secret | undefined;
  /** With digests in place of data. */
  readonly configMap: ConfigMap | undefined;
  readonly claim: PersistentVolumeClaim | undefined;
  readonly service: Service | undefined;
  /** The policy all pods of the class in the namespace share. */
  readonly classPolicy: NetworkPolicy | undefined;
  /** The policy for the instance's own destinations. */
  readonly instancePolicy: NetworkPolicy | undefined;
  readonly pod: Pod | undefined;
  /** What is wrong with the pod's node; undefined when nothing is. */
  readonly node: NodeState | undefined;
  /** The pod in which OpenClaw checks a changed configuration. */
  readonly checkPod: Pod | undefined;
  /** What the checks of all instances showed. */
  readonly checks: CheckBoard;
  /** What the prober found of this very container; undefined = nothing yet. */
  readonly gateway: GatewayVerdict | undefined;
  /** Another pod of ours that claims the pod's address, by key; only looked for when the gateway refused the slot's token. */
  readonly addressRival: string | undefined;
  /** What the gateway of this very container said when it was asked to finish its work; undefined = nothing yet. */
  readonly drain: DrainVerdict | undefined;
  /** It is this instance's turn to take over a change of its class. */
  readonly hasTurn: boolean;
  /** A pod that keeps ending is not replaced before (epoch milliseconds). */
  readonly replaceAfter: number | undefined;
}
