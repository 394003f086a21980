import { calculateJwkThumbprint, importJWK, type JWK } from "jose";
import * as z from "zod";
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from "#lib/signature-algorithms.ts";

/** The kind of key that each algorithm needs (RFC 7518, 3.1; RFC 8037). */
const KIND: Readonly<Record<SignatureAlgorithm, { kty: string; crv?: string }>> = {
  RS256: { kty: "RSA" },
  RS384: { kty: "RSA" },
  RS512: { kty: "RSA" },
  PS256: { kty: "RSA" },
  PS384: { kty: "RSA" },
  PS512: { kty: "RSA" },
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  EdDSA: { kty: "OKP", crv: "Ed25519" },
  Ed25519: { kty: "OKP", crv: "Ed25519" },
};

/** RFC 7518, 3.3. */
const MIN_RSA_BITS = 2048;

const keySetSchema = z.object({ keys: z.array(z.unknown()).max(200) });

const keySchema = z
  .looseObject({
    kty: z.enum(["RSA", "EC", "OKP"]),
    kid: z.string().exactOptional(),
    alg: z.enum(SIGNATURE_ALGORITHMS).exactOptional(),
    use: z.literal("sig").exactOptional(),
    key_ops: z
      .array(z.string())
      .refine((operations) => operations.includes("verify"))
      .exactOptional(),
  })
  .refine((key) => !("d" in key));

/** What a token's header says of the key it was signed with. */
export interface KeyHint {
  readonly alg: SignatureAlgorithm;
  readonly kid: string | undefined;
}

/** A public key that signatures are verified with. */
export interface VerificationKey {
  readonly jwk: JWK;
  /** The same for the same key, whatever it is called (RFC 7638). */
  readonly thumbprint: string;
}

/** The keys of an issuer at one time. */
export interface KeySet {
  readonly size: number;
  /** The key that fits; undefined when there is none or, to a token without `kid`, more than one (OIDC Core, 10.1). */
  find(hint: KeyHint): VerificationKey | undefined;
  has(thumbprint: string): boolean;
}

/**
 * The keys of a JWK set that signatures may be verified with. Others are left out: for encryption, secret, private (whoever
 * publishes it has lost it), too weak, malformed, or of a kind that is not known here.
 * @throws Error when the document is no JWK set.
 */
export async function readKeySet(document: unknown): Promise<KeySet> {
  const given = keySetSchema.safeParse(document);
  if (!given.success) throw new Error("is no JWK set");
  const read = await Promise.all(given.data.keys.map(readKey));
  const keys = read.filter((key) => key !== undefined);
  const thumbprints = new Set(keys.map(({ thumbprint }) => thumbprint));
  return {
    size: keys.length,
    find(hint) {
      const [found, ...more] = keys.filter(({ jwk }) => fits(jwk, hint));
      return more.length === 0 ? found : undefined;
    },
    has: (thumbprint) => thumbprints.has(thumbprint),
  };
}

function fits(jwk: JWK, { kid, alg }: KeyHint): boolean {
  const { kty, crv } = KIND[alg];
  const isOfKind = jwk.kty === kty && (crv === undefined || jwk.crv === crv);
  return isOfKind && (jwk.alg ?? alg) === alg && (kid === undefined || jwk.kid === kid);
}

async function readKey(given: unknown): Promise<VerificationKey | undefined> {
  const { data: jwk } = keySchema.safeParse(given);
  const alg = jwk && SIGNATURE_ALGORITHMS.find((known) => fits(jwk, { alg: known, kid: undefined }));
  if (!jwk || !alg) return undefined;
  try {
    const key = await importJWK(jwk, alg);
    return isStrong(key) ? { jwk, thumbprint: await calculateJwkThumbprint(jwk) } : undefined;
  } catch {
    // One malformed key must not take the good ones away.
    return undefined;
  }
}

function isStrong(key: Awaited<ReturnType<typeof importJWK>>): boolean {
  if (key instanceof Uint8Array) return false;
  return !("modulusLength" in key.algorithm) || Number(key.algorithm.modulusLength) >= MIN_RSA_BITS;
}
