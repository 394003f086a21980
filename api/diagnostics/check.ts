import * as z from "zod";

/** The chain from a caller to an answer of their model, in order. */
export const LINKS = [
  "credential",
  "access",
  "cluster",
  "instance",
  "class",
  "config",
  "storage",
  "pod",
  "gateway",
  "call",
  "model",
] as const;

/** One link of the chain, and how it is. */
export const checkSchema = z.strictObject({
  link: z.enum(LINKS),
  status: z
    .enum(["ok", "failed", "unknown", "skipped"])
    .describe("unknown = nobody could tell; skipped = a link before it has to be mended first."),
  reason: z.string().describe("A word for programs, from a closed list."),
  message: z.string().describe("What was found, for people."),
  next_step: z.string().nullable().describe("What to do; null when there is nothing to do."),
});

/** What {@link checkSchema} describes. */
export type Check = z.output<typeof checkSchema>;

/** One link of the chain. */
export type Link = Check["link"];

/** A link that is well. */
export function well(link: Link, message: string): Check {
  return { link, status: "ok", reason: "AsExpected", message, next_step: null };
}

/** A link that is not looked at for the sake of another. */
export function skipped(link: Link, message: string): Check {
  return { link, status: "skipped", reason: "Pending", message, next_step: null };
}
