import * as z from "zod";
import { keyedList } from "./collections.ts";
import { dateTime } from "./scalars.ts";

/** Longest message of a condition or failure, in characters; writers stay far below. */
export const MESSAGE_MAX = 32_768;

/** A condition as all Kubernetes objects carry them. */
export const conditionSchema = z
  .strictObject({
    type: z.string().min(1).max(316).describe("What is judged."),
    status: z.enum(["True", "False", "Unknown"]).describe("The judgement."),
    reason: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
      .describe("Why, as one of a closed list of words."),
    message: z.string().max(MESSAGE_MAX).describe("Why, for people, with the next step."),
    observedGeneration: z.int().min(0).optional().describe("Generation of the spec this was judged for."),
    lastTransitionTime: dateTime().describe("When the status last changed."),
  })
  .describe("One judgement.");

/** Conditions by type. */
export const conditionsSchema = keyedList(conditionSchema, "type", 32).describe(
  "What is judged of the object, by type.",
);
