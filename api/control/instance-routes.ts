import * as z from "zod";
import type { OpenClawInstance, Tenant } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { controlRoute, type Route } from "../http/route.ts";
import { READ_ERRORS, WRITE_ERRORS } from "../routes/schemas.ts";
import { deleteSecrets } from "../secrets/secrets.ts";
import { ignoredFields, instanceRecordSchema, recordOf } from "./instance-record.ts";
import { tenantOf, userId } from "./user.ts";

const PATH = "/control/openclaw/instance";
const status = z.enum(["provisioning", "ready", "error", "deleted"]);

/** The row of one instance: read, written, deleted. What is written of it but the wish that it be there means nothing. */
export function instanceRoutes({ instances, store }: ApiContext): Route[] {
  async function existing(tenant: Tenant): Promise<OpenClawInstance> {
    const found = await instances.get(tenant);
    if (found) return found;
    throw new ApiError("instance_not_found", "instance not found", { step: "get_instance" });
  }

  const read = controlRoute({
    method: "GET",
    path: PATH,
    operation: "controlGetInstance",
    tag: "control",
    summary: "A user's OpenClaw; null = there is none for sure.",
    query: z.object({ user_id: userId }),
    result: instanceRecordSchema.nullable(),
    errors: READ_ERRORS,
    async answer(_call, { query: { user_id } }) {
      const found = await instances.get(tenantOf(user_id));
      return found ? recordOf(user_id, found) : null;
    },
  });
  const upsert = controlRoute({
    method: "POST",
    path: PATH,
    operation: "controlUpsertInstance",
    tag: "control",
    summary: "Makes a user's OpenClaw, or starts the one there is; the other fields are accepted and mean nothing.",
    body: z.object({ user_id: userId, status: status.nullish(), ...ignoredFields }),
    result: instanceRecordSchema,
    errors: ["instance_not_found", ...WRITE_ERRORS],
    async answer({ signal }, { body: { user_id, status } }) {
      // Who notes that it failed or is gone wishes for no other.
      const isWanted = status !== "error" && status !== "deleted";
      const tenant = tenantOf(user_id);
      return recordOf(user_id, isWanted ? await instances.ensure(tenant, signal) : await existing(tenant));
    },
  });
  const setStatus = controlRoute({
    method: "POST",
    path: `${PATH}/status`,
    operation: "controlSetStatus",
    tag: "control",
    summary: "Accepted for callers of old: the answer tells the status that was observed, whatever was sent.",
    body: z.object({ user_id: userId, status: z.enum(status.options, { error: "user_id and status required" }) }),
    result: instanceRecordSchema,
    errors: ["instance_not_found", ...READ_ERRORS],
    async answer(_call, { body: { user_id } }) {
      return recordOf(user_id, await existing(tenantOf(user_id)));
    },
  });
  const remove = controlRoute({
    method: "POST",
    path: `${PATH}/delete`,
    operation: "controlDeleteInstance",
    tag: "control",
    summary: "Asks for the deletion of a user's OpenClaw, and forgets their secrets.",
    body: z.object({ user_id: userId }),
    result: z.strictObject({ deleted: z.boolean().describe("false = there was none") }),
    errors: WRITE_ERRORS,
    async answer({ signal }, { body: { user_id } }) {
      const deleted = await instances.delete(tenantOf(user_id), signal);
      await deleteSecrets(store.db, tenantOf(user_id));
      return { deleted };
    },
  });
  return [read, upsert, setStatus, remove];
}
