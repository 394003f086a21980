import * as z from "zod";
import { CONDITION, type OpenClawInstance, PHASE } from "#crds/index.ts";
import { findCondition } from "#lib/kube/conditions.ts";
import { type InstanceState, phaseOf, stateOf } from "./phase.ts";

const epochMsSchema = z.int().nullable();

/** An instance as callers see it. Times are milliseconds since the epoch; no address and no credential is in it. */
export const instanceSummarySchema = z.strictObject({
  status: z.enum(["provisioning", "ready", "error", "deleted"] satisfies InstanceState[]),
  suspended: z.boolean().describe("Stopped on request: there is no pod, the volume is kept."),
  runtime_name: z.string().nullable(),
  created_at: epochMsSchema,
  updated_at: epochMsSchema,
  last_ready_at: epochMsSchema,
  phase: z.string(),
  message: z.string().nullable().describe("Why it is not ready, for people; null when it is."),
  conditions: z.array(
    z.strictObject({
      type: z.string(),
      status: z.string(),
      reason: z.string(),
      message: z.string(),
      last_transition_at: epochMsSchema,
    }),
  ),
});

/** What {@link instanceSummarySchema} describes. */
export type InstanceSummary = z.output<typeof instanceSummarySchema>;

/** What callers may know of an instance. */
export function summarize(instance: OpenClawInstance): InstanceSummary {
  const { metadata, status } = instance;
  const phase = phaseOf(instance);
  const conditions = (status?.conditions ?? []).map(({ type, status, reason, message, lastTransitionTime }) => ({
    type,
    status,
    reason,
    message,
    last_transition_at: epochMs(lastTransitionTime),
  }));
  return {
    status: stateOf(phase),
    suspended: phase === PHASE.Stopped,
    runtime_name: status?.runtime?.name ?? null,
    created_at: epochMs(metadata.creationTimestamp),
    updated_at: latest(
      epochMs(metadata.creationTimestamp),
      epochMs(metadata.deletionTimestamp),
      ...conditions.map((condition) => condition.last_transition_at),
    ),
    last_ready_at: epochMs(status?.lastReadyTime),
    phase,
    message: phase === PHASE.Ready ? null : messageOf(instance),
    conditions,
  };
}

function messageOf(instance: OpenClawInstance): string | null {
  const { status } = instance;
  return (status?.failure?.message ?? findCondition(status?.conditions, CONDITION.Ready)?.message) || null;
}

function epochMs(time: string | undefined): number | null {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? null : ms;
}

function latest(...times: (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length ? Math.max(...known) : null;
}
