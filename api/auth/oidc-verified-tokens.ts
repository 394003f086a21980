import { createHash } from "node:crypto";
import type { Identity } from "./identity.ts";

/** Tokens remembered at most; the least lately used goes first. */
export const MAX_TOKENS = 5_000;
/** Longer ones, full of groups, are verified each time: memory is bounded by both. */
const MAX_TOKEN_LENGTH = 4_096;

/** What verifying a token found. */
export interface VerifiedToken {
  readonly identity: Identity;
  /** Epoch ms. */
  readonly goodUntil: number;
  /** Whether its issuer still has the key that it was signed with. */
  readonly isKeyHeld: () => boolean;
}

/** Remembers which tokens were verified, by their SHA-256: a memory dump holds no token more for it. */
export interface VerifiedTokens {
  /** Undefined when it is not known, or was good until before `now` (epoch ms), or its key was withdrawn. */
  get(token: string, now: number): VerifiedToken | undefined;
  set(token: string, verified: VerifiedToken): void;
}

/** An empty memory. */
export function createVerifiedTokens(): VerifiedTokens {
  const known = new Map<string, VerifiedToken>();
  return {
    get(token, now) {
      const key = hash(token);
      const found = known.get(key);
      if (!found) return undefined;
      known.delete(key);
      if (now >= found.goodUntil || !found.isKeyHeld()) return undefined;
      known.set(key, found);
      return found;
    },
    set(token, verified) {
      if (token.length > MAX_TOKEN_LENGTH) return;
      known.set(hash(token), verified);
      for (const oldest of known.keys()) {
        if (known.size <= MAX_TOKENS) break;
        known.delete(oldest);
      }
    },
  };
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
