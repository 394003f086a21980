import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { controlRoute, type Route } from "../http/route.ts";
import { getSecret, putSecret, SECRET_NAMES } from "../secrets/secrets.ts";
import { tenantOf, userId } from "./user.ts";

const PATH = "/control/openclaw/instance/secret";
const MAX_SECRET_BYTES = 65_536;
const secret = z
  .string()
  .min(1)
  .max(MAX_SECRET_BYTES)
  .refine((text) => Buffer.byteLength(text) <= MAX_SECRET_BYTES, `is longer than ${MAX_SECRET_BYTES} bytes`)
  .refine((text) => text.isWellFormed(), "holds half a surrogate pair");
const key = z.enum(SECRET_NAMES, { error: `user_id and key required; key is one of ${SECRET_NAMES.join(", ")}` });

/** Secrets kept for a user, sealed at rest. */
export function secretRoutes({ store, keyRing }: ApiContext): Route[] {
  const put = controlRoute({
    method: "POST",
    path: PATH,
    operation: "controlPutSecret",
    tag: "control",
    summary: "Keeps a secret for a user, in place of the one there was.",
    body: z.strictObject({ user_id: userId, key, value: secret }),
    result: z.strictObject({}),
    errors: [],
    async answer(_call, { body: { user_id, key, value } }) {
      await putSecret(store.db, keyRing, tenantOf(user_id), key, value);
      return {};
    },
  });
  const get = controlRoute({
    method: "GET",
    path: PATH,
    operation: "controlGetSecret",
    tag: "control",
    summary: "A secret kept for a user; without `secret`, none is.",
    query: z.object({ user_id: userId, key }),
    result: z.strictObject({ secret: z.string().optional() }),
    errors: [],
    async answer(_call, { query: { user_id, key } }) {
      const secret = await getSecret(store.db, keyRing, tenantOf(user_id), key);
      return secret === undefined ? {} : { secret };
    },
  });
  return [put, get];
}
