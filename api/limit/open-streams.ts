import { type Tenant, tenantKey } from "../auth/tenant.ts";
import { ApiError } from "../errors.ts";

/** Counts what a tenant has open, so that one can't take all connections. Counts are of this replica alone. */
export interface OpenStreams {
  /** Takes one place; the result gives it back (once). @throws ApiError 429 when all are taken. */
  acquire(tenant: Tenant): () => void;
}

/** At most `max` places for each tenant. */
export function createOpenStreams(max: number): OpenStreams {
  const open = new Map<string, number>();
  return {
    acquire(tenant) {
      const key = tenantKey(tenant);
      const count = open.get(key) ?? 0;
      if (count >= max) {
        throw new ApiError("too_many_streams", `${max} calls are open already`, {
          step: "limit",
          retryAfterSeconds: 1,
        });
      }
      open.set(key, count + 1);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        const left = (open.get(key) ?? 1) - 1;
        if (left > 0) open.set(key, left);
        else open.delete(key);
      };
    },
  };
}
