import sodium from "libsodium-wrappers";
import { findKey, type KeyRing, sealingKey } from "./keys.ts";

/** A secret as it is stored. */
export interface Sealed {
  /** Id of the root key it is sealed under. */
  readonly keyId: string;
  /** Nonce and ciphertext. */
  readonly bytes: Uint8Array;
}

/** A sealed secret cannot be opened: its key is gone, it is another owner's, or somebody changed it. */
export class SealError extends Error {
  override name = "SealError";
}

/**
 * Seals a secret under the newest root key with XChaCha20-Poly1305. It opens for the same `owner` and `name` alone: a row copied to
 * another tenant is worth nothing. Needs `keysReady()`.
 */
export function seal(ring: KeyRing, secret: string, owner: string, name: string): Sealed {
  const [key] = ring;
  const nonce = sodium.randombytes_buf(sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
  const box = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
    secret,
    label(owner, name),
    null,
    nonce,
    sealingKey(key),
  );
  return { keyId: key.id, bytes: Buffer.concat([nonce, box]) };
}

/**
 * Opens what {@link seal} made for this owner and name.
 * @throws SealError, which says nothing of the secret.
 */
export function unseal(ring: KeyRing, { keyId, bytes }: Sealed, owner: string, name: string): string {
  const key = findKey(ring, keyId);
  if (!key) throw new SealError(`sealed under root key ${keyId}, which is not in the key ring`);
  const size = sodium.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
  try {
    const opened = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
      null,
      bytes.subarray(size),
      label(owner, name),
      bytes.subarray(0, size),
      sealingKey(key),
    );
    return sodium.to_string(opened);
  } catch (cause) {
    throw new SealError("does not open: it was changed, or is another owner's", { cause });
  }
}

/** JSON, so that no owner and name run into one another. */
function label(owner: string, name: string): string {
  return JSON.stringify([owner, name]);
}
