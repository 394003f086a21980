import * as z from "zod";
import type { OpenClawInstance } from "#crds/index.ts";
import { summarize } from "../instances/summary.ts";

const epochMs = z.int().nullable();
/** Columns of a system without Kubernetes: always null. */
const gone = z.null();

/** The row of old, answered from the instance's status; no credential is in it. */
export const instanceRecordSchema = z.strictObject({
  user_id: z.string(),
  status: z.enum(["provisioning", "ready", "error", "deleted"]),
  runtime_url: z.string().nullable(),
  runtime_name: z.string().nullable(),
  cf_account_id: gone,
  cf_worker_name: gone,
  cf_worker_id: gone,
  cf_container_app_id: gone,
  cf_container_app_name: gone,
  r2_bucket_name: gone,
  created_at: epochMs,
  updated_at: epochMs,
  last_ready_at: epochMs,
});

/** What callers of old may send with a row. It is accepted and means nothing: what runs is in the instance's status. */
export const ignoredFields = {
  runtime_url: z.string().max(2048).nullish(),
  runtime_name: z.string().max(256).nullish(),
  cf_account_id: z.string().max(256).nullish(),
  cf_worker_name: z.string().max(256).nullish(),
  cf_worker_id: z.string().max(256).nullish(),
  cf_container_app_id: z.string().max(256).nullish(),
  cf_container_app_name: z.string().max(256).nullish(),
  r2_bucket_name: z.string().max(256).nullish(),
};

/** The instance of `user_id` as a row. */
export function recordOf(user_id: string, instance: OpenClawInstance): z.output<typeof instanceRecordSchema> {
  const { status, runtime_name, created_at, updated_at, last_ready_at } = summarize(instance);
  return {
    user_id,
    status,
    runtime_url: instance.status?.endpoint ?? null,
    runtime_name,
    cf_account_id: null,
    cf_worker_name: null,
    cf_worker_id: null,
    cf_container_app_id: null,
    cf_container_app_name: null,
    r2_bucket_name: null,
    created_at,
    updated_at,
    last_ready_at,
  };
}
