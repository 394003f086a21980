import * as z from "zod";
import { DEFAULT_CLASS } from "../names.ts";
import { atomicList, openObject, uniqueList } from "./collections.ts";
import { volumeSizeSchema } from "./quantity.ts";
import { immutable, rule } from "./rule.ts";
import { cidr, dateTime, dnsLabel, dnsSubdomain, imageReference, NAME_MAX, port, token } from "./scalars.ts";

/** A destination that pods may open connections to. */
export const egressSchema = z.strictObject({
  cidr: cidr().describe("Addresses, e.g. `203.0.113.0/24`."),
  ports: atomicList(port().describe("A TCP port."), 16).min(1).describe("TCP ports of these addresses."),
});

/** What happens to the volume when the instance is deleted. */
export const deletionPolicySchema = z.enum(["Delete", "Retain"]);

const ownerSchema = z
  .strictObject({
    subject: immutable(
      z
        .string()
        .min(1)
        .max(256)
        .regex(/^\P{Cc}*$/u, "has control characters"),
    ).describe("Whose instance it is: an opaque id such as an OIDC `sub`. Immutable."),
    kind: immutable(z.enum(["Human", "Agent"]).default("Human")).describe(
      "What the owner is; tenants are told apart by kind and subject. Immutable.",
    ),
  })
  .describe("The one tenant this instance belongs to.");

const gatewaySchema = z
  .strictObject({
    toolsAllow: uniqueList(token(128).describe("The name of a tool."), 64)
      .optional()
      .describe("Tools that may be invoked directly although the gateway denies them by default."),
    toolsDeny: uniqueList(token(128).describe("The name of a tool."), 64)
      .optional()
      .describe("Tools that may not be invoked directly."),
    config: openObject(64)
      .optional()
      .describe(
        "OpenClaw configuration merged over the class's: how the agent works, remembers and speaks, and MCP servers by URL. Any other key, and references to the environment, are refused by the condition `ConfigValid`.",
      ),
  })
  .describe("Settings of the OpenClaw gateway.");

const storageSchema = z
  .strictObject({
    size: rule(volumeSizeSchema, {
      cel: "quantity(self).compareTo(quantity(oldSelf)) >= 0",
      message: "may grow but never shrink",
    })
      .optional()
      .describe("Size of the volume, else the class's. It may grow and never shrink."),
    storageClassName: immutable(dnsSubdomain())
      .optional()
      .describe("StorageClass of the volume, else the class's. Immutable."),
  })
  .describe("The volume that holds everything the agent remembers.");

/** Rules on a field do not run when it appears or disappears, so the object around it watches for that. */
const APPEARANCES = [
  {
    cel: "(has(oldSelf.storage) && has(oldSelf.storage.storageClassName)) == (has(self.storage) && has(self.storage.storageClassName))",
    message: "is immutable: it may not be added or removed later",
    path: ["storage", "storageClassName"],
  },
  {
    cel: "!(has(oldSelf.storage) && has(oldSelf.storage.size)) || (has(self.storage) && has(self.storage.size))",
    message: "may not be removed once set",
    path: ["storage", "size"],
  },
];

/** What a person asks for; `owner.subject` alone is enough. */
export const instanceSpecSchema = APPEARANCES.reduce(
  (schema, appearance) => rule(schema, appearance),
  z
    .strictObject({
      owner: ownerSchema,
      className: dnsLabel(NAME_MAX).default(DEFAULT_CLASS).describe("The OpenClawClass (plan) it runs by."),
      runPolicy: z
        .enum(["OnDemand", "Always", "Stopped"])
        .default("OnDemand")
        .describe("`OnDemand` may sleep when idle, `Always` never does, `Stopped` has no pod and keeps the volume."),
      image: imageReference().optional().describe("Runtime image, else the class's."),
      model: z
        .strictObject({
          default: token(63)
            .optional()
            .describe("Model of new sessions: a name of the class's models, else its `defaultModel`."),
        })
        .optional()
        .describe("Choice among the class's models."),
      gateway: gatewaySchema.optional(),
      storage: storageSchema.optional(),
      network: z
        .strictObject({
          egress: atomicList(egressSchema.describe("One destination."), 32)
            .optional()
            .describe("Destinations allowed in addition to the class's."),
        })
        .optional()
        .describe("Network rules of this instance alone."),
      restartedAt: dateTime().optional().describe("A new value causes one restart."),
      deletionPolicy: deletionPolicySchema
        .optional()
        .describe("`Delete` deletes the volume with the instance, `Retain` keeps it; else the class's."),
    })
    .describe("What is wanted."),
);
