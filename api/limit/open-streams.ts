import { ApiError } from "../errors.ts";

/** Counts what an owner (a tenant, a slot) has open, so that one can't take all connections. Counts are of this replica alone. */
export interface OpenStreams {
  /** Takes one place; the result gives it back (once). @throws ApiError 429 when all are taken. */
  acquire(owner: string): () => void;
}

/** At most `max` places for each owner. */
export function createOpenStreams(max: number): OpenStreams {
  const open = new Map<string, number>();
  return {
    acquire(owner) {
      const count = open.get(owner) ?? 0;
      if (count >= max) {
        throw new ApiError("too_many_streams", `${max} calls are open already`, {
          step: "limit",
          retryAfterSeconds: 1,
        });
      }
      open.set(owner, count + 1);
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        const left = (open.get(owner) ?? 1) - 1;
        if (left > 0) open.set(owner, left);
        else open.delete(owner);
      };
    },
  };
}
