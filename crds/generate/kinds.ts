import { CLASSES, INSTANCES } from "../resources.ts";
import { classSpecSchema } from "../schema/class-spec.ts";
import { classStatusSchema } from "../schema/class-status.ts";
import { instanceSpecSchema } from "../schema/instance-spec.ts";
import { instanceStatusSchema } from "../schema/instance-status.ts";
import type { CelRule } from "../schema/rule.ts";
import { NAME_MAX } from "../schema/scalars.ts";
import type { KindDefinition } from "./definition.ts";

/** `metadata.name` has no schema of ours, so its limits are rules; `generateName` is judged by the name it becomes. */
const NAME_RULES: CelRule[] = [
  {
    rule: `size(self.metadata.name) <= ${NAME_MAX}`,
    message: `metadata.name may have at most ${NAME_MAX} characters`,
  },
  {
    rule: "!self.metadata.name.contains('.')",
    message: "metadata.name may not hold dots: it becomes part of a DNS label",
  },
];

const INSTANCE: KindDefinition = {
  kind: INSTANCES.kind,
  plural: INSTANCES.plural,
  singular: "openclawinstance",
  shortNames: ["claw", "claws"],
  scope: "Namespaced",
  description: "One owner's OpenClaw: a pod with its own volume, credentials and address.",
  spec: instanceSpecSchema,
  status: instanceStatusSchema,
  rules: NAME_RULES,
  selectableFields: [".spec.className", ".spec.owner.subject"],
  columns: [
    { name: "Owner", type: "string", jsonPath: ".spec.owner.subject" },
    { name: "Class", type: "string", jsonPath: ".spec.className" },
    { name: "Phase", type: "string", jsonPath: ".status.phase" },
    { name: "Ready", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="Ready")].reason' },
    { name: "Version", type: "string", jsonPath: ".status.runtime.version" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    { name: "Node", type: "string", jsonPath: ".status.runtime.node", wide: true },
    { name: "Slot", type: "string", jsonPath: ".status.runtime.slot", wide: true },
    { name: "Endpoint", type: "string", jsonPath: ".status.endpoint", wide: true },
  ],
};

const CLASS: KindDefinition = {
  kind: CLASSES.kind,
  plural: CLASSES.plural,
  singular: "openclawclass",
  shortNames: ["clawclass"],
  scope: "Cluster",
  description: "A plan for OpenClaws: image, resources, storage, models and rules that its instances share.",
  spec: classSpecSchema,
  status: classStatusSchema,
  rules: NAME_RULES,
  selectableFields: [],
  columns: [
    { name: "Instances", type: "integer", jsonPath: ".status.instances" },
    { name: "Ready", type: "integer", jsonPath: ".status.ready" },
    { name: "RolledOut", type: "string", jsonPath: '.status.conditions[?(@.type=="RolledOut")].status' },
    { name: "Reason", type: "string", jsonPath: '.status.conditions[?(@.type=="RolledOut")].reason' },
    { name: "Storage", type: "string", jsonPath: ".spec.storage.size" },
    { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    { name: "Image", type: "string", jsonPath: ".spec.image", wide: true },
  ],
};

/** The kinds of the API group. */
export const KINDS: readonly KindDefinition[] = [INSTANCE, CLASS];
