import { createHash } from "node:crypto";

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
/** 160 bits of the hash: 32 characters, no padding, no collision to fear. */
const HASH_BYTES = 20;

/** Name of a tenant's instance: `oc-` and the base32 of the first 20 bytes of the tenant key's SHA-256. */
export function instanceName(tenantKey: string): string {
  const hash = createHash("sha256").update(tenantKey).digest().subarray(0, HASH_BYTES);
  return `oc-${base32(hash)}`;
}

function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{5}/g) ?? []).map((five) => BASE32[Number.parseInt(five, 2)]).join("");
}
