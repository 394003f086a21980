import type { Audit, Checker } from "./audit.ts";
import { fewStatusPatches } from "./few-status-patches.ts";
import { keptVolumes } from "./kept-volumes.ts";
import { onePodEach } from "./one-pod.ts";
import { untouchedSpecs } from "./untouched-specs.ts";
import { usefulWrites } from "./useful-writes.ts";

/** What must hold in every run, whatever goes wrong. */
export const INVARIANTS: readonly Checker[] = [onePodEach, keptVolumes, usefulWrites, untouchedSpecs, fewStatusPatches];

/**
 * Applies checkers (all by default) to a log; answers what broke. A log without a write of the operator, or without bodies,
 * shows nothing and is a finding too.
 */
export function findBroken(audit: Audit, checkers: readonly Checker[] = INVARIANTS): string[] {
  const writes = audit.requests.filter((request) => audit.isOperator(request) && request.verb === "patch");
  if (!writes.some(({ response }) => response?.metadata)) return ["the log shows no write of the operator"];
  return checkers.flatMap((checker) => checker(audit));
}
