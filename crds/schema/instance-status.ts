import * as z from "zod";
import { PHASE, STEP } from "../conditions.ts";
import { conditionsSchema, MESSAGE_MAX } from "./condition.ts";
import { dateTime, dnsLabel, dnsSubdomain, imageReference, port } from "./scalars.ts";

/** Ids of slots: 128 bits as hex. */
const SLOT = /^[0-9a-f]{32}$/;
const KEY_ID = /^[0-9a-f]{8}$/;

/** What one needs to know to reach the slot an instance runs in. */
export const runtimeSchema = z
  .strictObject({
    name: dnsLabel().describe("Name of the instance's children."),
    slot: z.string().max(32).regex(SLOT).describe("Id of the credentials and the volume the pod runs with."),
    keyId: z.string().max(8).regex(KEY_ID).describe("Id of the root key that derives the slot's credentials."),
    podUID: z.string().max(64).optional().describe("UID of the pod."),
    podIP: z.string().max(64).optional().describe("Address of the pod."),
    port: port().optional().describe("Port of the gateway."),
    node: dnsSubdomain().optional().describe("Node the pod runs on."),
    image: imageReference().optional().describe("Image the pod runs."),
    version: z.string().max(64).optional().describe("Version of OpenClaw, as the gateway or the image says."),
    startedAt: dateTime().optional().describe("When the pod's container started."),
  })
  .describe("The slot the instance runs in and how to reach it.");

/** A pod that is to be replaced or stopped and finishes its work before. */
export const drainSchema = z
  .strictObject({
    podUID: z.string().max(64).describe("UID of the pod."),
    since: dateTime().describe("When it was first asked to finish."),
    until: dateTime().describe("When it is ended even if it is not idle."),
  })
  .describe("The pod that finishes running work before it is replaced or stopped; no new work is taken meanwhile.");

/** The culprit while an instance is not well. */
export const failureSchema = z
  .strictObject({
    step: z.enum(Object.values(STEP)).describe("The link of the chain that fails."),
    reason: z.string().min(1).max(128).describe("Why, as a condition's reason."),
    message: z.string().max(MESSAGE_MAX).describe("Why, for people, with the next step."),
    since: dateTime().describe("Since when."),
  })
  .describe("What is wrong; absent when all is well.");

/** What is; written by the operator alone. */
export const instanceStatusSchema = z
  .strictObject({
    observedGeneration: z.int().min(0).optional().describe("Generation of the spec this status speaks of."),
    conditions: conditionsSchema.optional(),
    phase: z.enum(Object.values(PHASE)).optional().describe("The conditions in one word."),
    runtime: runtimeSchema.optional(),
    endpoint: z.string().max(320).optional().describe("URL of the gateway inside the cluster."),
    lastReadyTime: dateTime().optional().describe("When it last became ready."),
    observedRestart: dateTime().optional().describe("The last `restartedAt` that was carried out."),
    restarts: z.int32().min(0).optional().describe("Pods created in place of an earlier one."),
    drain: drainSchema.optional(),
    failure: failureSchema.optional(),
  })
  .describe("What is.");
