import { findDrift } from "#lib/kube/drift.ts";
import { digestEntries } from "../build/digest.ts";
import { type Plan, planInstance } from "./plan.ts";
import { aView, carriedOut, NOW, readyPod, SLOT, settings, withStatus } from "./view.fixture.ts";
import type { View } from "./view.ts";

/** The plan of a view, with the settings of all tests. */
export function plan(view: View, now = NOW, newSlot = SLOT): Plan {
  return planInstance(view, settings(), now, newSlot);
}

/** What a plan really changes: an apply of what is there already is no change. */
export function changes({ writes }: Plan): string[] {
  return writes.flatMap((write) => {
    if (write.verb !== "apply") return [`${write.verb} ${write.type.kind}`];
    const body =
      "data" in write.body
        ? { ...write.body, data: digestEntries(write.body.data as Record<string, string>) }
        : write.body;
    return findDrift(body, write.live) === undefined ? [] : [`apply ${write.type.kind}`];
  });
}

/** The view of an instance that runs and is ready. */
export function running(parts: Partial<View> = {}): View {
  const made = carriedOut(aView(parts), plan(aView(parts)).writes);
  return {
    ...made,
    claim: made.claim && { ...made.claim, status: { phase: "Bound" } },
    pod: withStatus(made.pod, readyPod()),
    gateway: { reachable: true },
  };
}
