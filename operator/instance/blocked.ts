import { REASON, type Step } from "#crds/index.ts";
import type { Blocked } from "./verdict.ts";

/** A child's name belongs to someone else. */
export function nameTaken(step: Step, kind: string, name: string): Blocked {
  const message = `The ${kind} ${name} exists and is not of this instance; it is left as it is. Rename or remove it.`;
  return { step, reason: REASON.NameTaken, message };
}
