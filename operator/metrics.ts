import { Counter, Gauge, type Registry } from "prom-client";
import { type InstanceStatus, PHASE } from "#crds/index.ts";
import type { Caches } from "./cache/caches.ts";
import type { Interference } from "./instance/interference.ts";
import { failureBegun, replacementReason } from "./instance/transition.ts";
import { CHILD_KINDS, FAILURES, REPLACED_BECAUSE } from "./metric-labels.ts";

/** Counts what happens to instances. Labels are words of closed lists; names of instances are none. */
export interface InstanceMetrics {
  /** Whether this operator leads. The leader alone tells of instances now, or a sum over all operators would count each twice. */
  leads(yes: boolean): void;
  /** Told of every status that was written, and of what it was before. */
  changed(before: InstanceStatus | undefined, next: InstanceStatus): void;
  /** Told of every child of this kind that is as wanted again after somebody else saw to it. */
  restored(kind: string, done: Interference): void;
}

/** Counts of failures and replacements, and instances by phase and failure whenever somebody asks. */
export function observeInstances(registry: Registry, { instances }: Pick<Caches, "instances">): InstanceMetrics {
  const registers = [registry];
  let leading = false;
  new Gauge({
    name: "hatchery_instances",
    help: "OpenClawInstances by phase.",
    labelNames: ["phase"],
    registers,
    collect() {
      this.reset();
      if (!leading) return;
      for (const phase of Object.values(PHASE)) this.set({ phase }, 0);
      for (const { status } of instances.list()) this.inc({ phase: status?.phase ?? PHASE.Provisioning });
    },
  });
  new Gauge({
    name: "hatchery_instances_failing",
    help: "OpenClawInstances that are not well now, by the step and the reason of their failure.",
    labelNames: ["step", "reason"],
    registers,
    collect() {
      this.reset();
      if (!leading) return;
      for (const { status } of instances.list()) {
        if (status?.failure) this.inc({ step: status.failure.step, reason: status.failure.reason });
      }
    },
  });
  const failures = new Counter({
    name: "hatchery_instance_failures_total",
    help: "Failures that began, by step and reason.",
    labelNames: ["step", "reason"],
    registers,
  });
  const replacements = new Counter({
    name: "hatchery_pod_replacements_total",
    help: "Pods that took the place of an earlier one, by why that one is gone.",
    labelNames: ["reason"],
    registers,
  });
  const restorations = new Counter({
    name: "hatchery_children_restored_total",
    help: "Children that are as wanted again, by kind and by what somebody else did to them.",
    labelNames: ["kind", "done"],
    registers,
  });
  for (const [step, reasons] of Object.entries(FAILURES)) {
    for (const reason of reasons) failures.inc({ step, reason }, 0);
  }
  for (const reason of REPLACED_BECAUSE) replacements.inc({ reason }, 0);
  for (const kind of CHILD_KINDS) {
    for (const done of ["deleted", "changed"] satisfies Interference[]) restorations.inc({ kind, done }, 0);
  }
  return {
    leads(yes) {
      leading = yes;
    },
    restored: (kind, done) => restorations.inc({ kind, done }),
    changed(before, next) {
      const failure = failureBegun(before, next);
      if (failure) failures.inc({ step: failure.step, reason: failure.reason });
      const reason = replacementReason(before, next);
      if (reason !== undefined) replacements.inc({ reason });
    },
  };
}
