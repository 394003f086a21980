import { ApiError } from "../errors.ts";

/** Seconds after which a caller may try again: bodies leave as fast as gateways, providers and clients take them. */
const RETRY_SECONDS = 1;

/** Bounds the bytes of bodies held at a time, of the process and of each owner. Counts are of this replica alone. */
export interface ByteBudget {
  /** Opens a share of the owner's, empty at first. */
  open(owner: string): ByteShare;
}

/** What one request holds. */
export interface ByteShare {
  /** Takes as many bytes as are lacking to hold `bytes`. @throws ApiError 429 when the owner's or the process' budget is used up. */
  readonly cover: (bytes: number) => void;
  /** Gives all back (once). */
  readonly release: () => void;
}

/** A budget of `total` bytes, of which one owner may hold `perOwner`. */
export function createByteBudget({ total, perOwner }: { total: number; perOwner: number }): ByteBudget {
  const held = new Map<string, number>();
  let heldByAll = 0;
  return {
    open(owner) {
      let own = 0;
      let released = false;
      return {
        cover(bytes) {
          const more = bytes - own;
          if (more <= 0 || released) return;
          const ofOwner = (held.get(owner) ?? 0) + more;
          if (ofOwner > perOwner) throw usedUp("the bodies of your open calls are too large together");
          if (heldByAll + more > total) throw usedUp("too many large bodies are on their way");
          held.set(owner, ofOwner);
          heldByAll += more;
          own = bytes;
        },
        release() {
          if (released) return;
          released = true;
          heldByAll -= own;
          const left = (held.get(owner) ?? 0) - own;
          if (left > 0) held.set(owner, left);
          else held.delete(owner);
        },
      };
    },
  };
}

function usedUp(message: string): ApiError {
  return new ApiError("too_many_bytes", message, { step: "limit", retryAfterSeconds: RETRY_SECONDS });
}
