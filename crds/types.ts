import type * as z from "zod";
import type { KubeObject } from "#lib/kube/types.ts";
import type { classSpecSchema } from "./schema/class-spec.ts";
import type { classStatusSchema } from "./schema/class-status.ts";
import type { egressSchema, instanceSpecSchema } from "./schema/instance-spec.ts";
import type { drainSchema, failureSchema, instanceStatusSchema, runtimeSchema } from "./schema/instance-status.ts";

/*
 * Objects read from the cluster are taken as these types without parsing: the apiserver has validated and defaulted them, and
 * an older process must survive fields and words that a newer CRD knows.
 */

/** A spec as stored, defaults filled in. */
export type InstanceSpec = z.output<typeof instanceSpecSchema>;
/** A spec as a user may write it. */
export type InstanceSpecInput = z.input<typeof instanceSpecSchema>;
export type InstanceStatus = z.output<typeof instanceStatusSchema>;
export type InstanceRuntime = z.output<typeof runtimeSchema>;
export type InstanceDrain = z.output<typeof drainSchema>;
export type InstanceFailure = z.output<typeof failureSchema>;
/** A plan as stored, defaults filled in. */
export type ClassSpec = z.output<typeof classSpecSchema>;
/** A plan as a user may write it. */
export type ClassSpecInput = z.input<typeof classSpecSchema>;
export type ClassStatus = z.output<typeof classStatusSchema>;
export type ClassModel = ClassSpec["models"][number];
export type Egress = z.output<typeof egressSchema>;

/** One person's OpenClaw. */
export interface OpenClawInstance extends KubeObject {
  spec: InstanceSpec;
  status?: InstanceStatus;
}

/** A plan for OpenClaws (cluster-scoped). */
export interface OpenClawClass extends KubeObject {
  spec: ClassSpec;
  status?: ClassStatus;
}
