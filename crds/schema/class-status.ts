import * as z from "zod";
import { conditionsSchema } from "./condition.ts";

/** What is; written by the operator alone. */
export const classStatusSchema = z
  .strictObject({
    observedGeneration: z.int().min(0).optional().describe("Generation of the spec this status speaks of."),
    instances: z.int32().min(0).optional().describe("Instances of the class."),
    ready: z.int32().min(0).optional().describe("Instances of the class that are ready."),
    conditions: conditionsSchema.optional(),
  })
  .describe("What is.");
