import * as z from "zod";
import { atomicList, dictionary, keyedList, openObject } from "./collections.ts";
import { deletionPolicySchema, egressSchema } from "./instance-spec.ts";
import { parseQuantity, quantitySchema, volumeSizeSchema } from "./quantity.ts";
import { rule } from "./rule.ts";
import { dnsLabel, dnsSubdomain, imageReference, token } from "./scalars.ts";

/** Resources a quota may ask for, so every pod states them. */
const STATED = ["cpu", "memory"];

function amounts(what: string) {
  return rule(dictionary(quantitySchema.describe("An amount such as `500m` or `2Gi`."), 8), {
    cel: "'cpu' in self && 'memory' in self",
    message: "needs cpu and memory",
    check: (entries) => STATED.every((name) => name in entries),
  }).describe(what);
}

/** Requests and limits of a pod. */
export const resourcesSchema = rule(
  z.strictObject({
    requests: amounts("What the scheduler reserves; cpu and memory at least."),
    limits: amounts("What the pod may use; cpu and memory at least."),
  }),
  {
    cel: "self.requests.all(k, !(k in self.limits) || quantity(string(self.requests[k])).compareTo(quantity(string(self.limits[k]))) <= 0)",
    message: "requests may not pass limits",
    check: ({ requests, limits }) =>
      Object.entries(requests).every(
        ([k, v]) => limits[k] === undefined || parseQuantity(v) <= parseQuantity(limits[k]),
      ),
  },
).describe("Resources of the pod.");

/** A model as instances know it and as its provider does. */
export const modelSchema = rule(
  z.strictObject({
    name: token(63).describe("Name under which instances know the model."),
    provider: dnsLabel().describe("A provider of the model gateway's configuration."),
    providerModel: z.string().min(1).max(256).describe("Name under which the provider knows the model."),
    contextWindow: z
      .int()
      .min(1024)
      .max(100_000_000)
      .default(128_000)
      .describe("Tokens of a prompt and its answer together."),
    maxTokens: z.int().min(1).max(100_000_000).default(8192).describe("Tokens of an answer."),
  }),
  {
    cel: "self.maxTokens <= self.contextWindow",
    message: "maxTokens may not pass contextWindow",
    path: ["maxTokens"],
    check: (model) => model.maxTokens <= model.contextWindow,
  },
).describe("A model.");

const schedulingSchema = z
  .strictObject({
    nodeSelector: dictionary(z.string().max(63).describe("A label's value."), 16)
      .optional()
      .describe("Labels a node must have."),
    tolerations: atomicList(
      z
        .strictObject({
          key: z.string().max(317).optional().describe("Key of the taint; all taints when absent."),
          operator: z.enum(["Exists", "Equal"]).optional().describe("How the value is compared."),
          value: z.string().max(63).optional().describe("Value of the taint."),
          effect: z
            .enum(["NoSchedule", "PreferNoSchedule", "NoExecute"])
            .optional()
            .describe("Effect of the taint; all when absent."),
          tolerationSeconds: z
            .int()
            .min(0)
            .max(2_147_483_647)
            .optional()
            .describe("How long a `NoExecute` taint is tolerated."),
        })
        .describe("A taint that is tolerated."),
      16,
    )
      .optional()
      .describe("Taints of nodes that do not matter."),
    affinity: openObject(3).optional().describe("Affinity, as in a pod."),
    runtimeClassName: dnsSubdomain().optional().describe("RuntimeClass of the pods, e.g. a sandboxed one."),
    priorityClassName: dnsSubdomain().optional().describe("PriorityClass of the pods."),
  })
  .describe("Where pods run.");

/** How long (seconds) a pod is waited for where no class says otherwise. */
export const PATIENCE = { drainSeconds: 60, nodeLostSeconds: 60 } as const;

/** A plan: what all its instances have in common. */
export const classSpecSchema = rule(
  z
    .strictObject({
      image: imageReference().describe("Runtime image."),
      imagePullSecrets: keyedList(
        z
          .strictObject({ name: dnsSubdomain().describe("Name of a Secret.") })
          .describe("A Secret of the instance's namespace."),
        "name",
        8,
      )
        .optional()
        .describe("Secrets to pull the image with."),
      resources: resourcesSchema,
      storage: z
        .strictObject({
          size: volumeSizeSchema.describe("Size of new volumes; larger than before, existing ones grow."),
          storageClassName: dnsSubdomain()
            .optional()
            .describe("StorageClass of new volumes, else the cluster's default."),
        })
        .describe("The volume of an instance."),
      models: keyedList(modelSchema, "name", 32).min(1).describe("Models that instances may use."),
      defaultModel: token(63).optional().describe("Model of new sessions, else the first."),
      agent: z
        .strictObject({
          exec: z
            .enum(["Allow", "Ask", "Deny"])
            .default("Allow")
            .describe("Whether the agent may run commands in its pod, which is its sandbox."),
        })
        .prefault({})
        .describe("What the agent may do."),
      gateway: z
        .strictObject({ config: openObject(64).optional().describe("OpenClaw configuration of all instances.") })
        .optional()
        .describe("Settings of the OpenClaw gateway."),
      network: z
        .strictObject({
          egress: atomicList(egressSchema.describe("One destination."), 32)
            .optional()
            .describe("Destinations of the pods; when absent, public addresses on ports 80 and 443; when empty, none."),
        })
        .optional()
        .describe("Network rules of all instances."),
      scheduling: schedulingSchema.optional(),
      drainSeconds: z
        .int()
        .min(0)
        .max(3600)
        .default(PATIENCE.drainSeconds)
        .describe("How long running work may take before a pod is replaced."),
      nodeLostSeconds: z
        .int()
        .min(0)
        .max(3600)
        .default(PATIENCE.nodeLostSeconds)
        .describe("How long a node may be silent before its pods are replaced elsewhere."),
      deletionPolicy: deletionPolicySchema
        .default("Retain")
        .describe("`Delete` deletes the volume with the instance, `Retain` keeps it."),
      maxInstancesPerOwner: z
        .int()
        .min(1)
        .max(100)
        .default(1)
        .describe("Instances an owner may create through the API."),
      rollout: z
        .strictObject({
          maxUnavailable: z
            .int()
            .min(1)
            .max(1000)
            .default(1)
            .describe("Instances replaced at a time when the class changes."),
        })
        .prefault({})
        .describe("How a change of the class reaches its instances."),
    })
    .describe("The plan."),
  {
    cel: "!has(self.defaultModel) || self.models.exists(m, m.name == self.defaultModel)",
    message: "defaultModel is not the name of one of the models",
    path: ["defaultModel"],
    check: (spec) => spec.defaultModel === undefined || spec.models.some((model) => model.name === spec.defaultModel),
  },
);
