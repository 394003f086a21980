import { randomBytes } from "node:crypto";
import { credentialHash, type KeyRing } from "#lib/keys.ts";

/** Schemes whose credentials we make. */
export const CREDENTIAL_SCHEMES = ["api-token", "agent-key"] as const;

/** One of {@link CREDENTIAL_SCHEMES}. */
export type CredentialScheme = (typeof CREDENTIAL_SCHEMES)[number];

/** What every API token begins with; no other bearer token does. */
export const API_TOKEN_PREFIX = "oa_live_";

const ID_PREFIX = { "api-token": "tok_", "agent-key": "oak_" } as const;
const SECRET_PREFIX = { "api-token": API_TOKEN_PREFIX, "agent-key": "oak_live_" } as const;
const SECRET_DIGITS = /^[0-9a-f]{64}$/;

/** A credential as its holder gets it, once. */
export interface NewSecret {
  /** Public. */
  readonly id: string;
  readonly secret: string;
}

/** A new credential of 256 random bits. */
export function newSecret(scheme: CredentialScheme): NewSecret {
  const random = (bytes: number) => randomBytes(bytes).toString("hex");
  return { id: `${ID_PREFIX[scheme]}${random(8)}`, secret: `${SECRET_PREFIX[scheme]}${random(32)}` };
}

/** True for what could be a credential of this scheme: nobody is asked about anything else. */
export function isSecret(scheme: CredentialScheme, text: string): boolean {
  const prefix = SECRET_PREFIX[scheme];
  return text.startsWith(prefix) && SECRET_DIGITS.test(text.slice(prefix.length));
}

/** A hash as it is stored, and the id of the root key it was made with. */
export interface SecretHash {
  readonly hash: string;
  readonly rootKeyId: string;
}

/** The hashes of a credential under each root key, the newest key's first. Needs `keysReady()`. */
export function hashSecret(ring: KeyRing, secret: string): readonly [SecretHash, ...SecretHash[]] {
  const [first, ...rest] = ring;
  const hashed = (key: typeof first) => ({ hash: credentialHash(key, secret), rootKeyId: key.id });
  return [hashed(first), ...rest.map(hashed)];
}
