import { randomBytes, timingSafeEqual } from "node:crypto";
import sodium from "libsodium-wrappers";

/** Bytes of a root key. */
const KEY_BYTES = 32;
/** 128-bit slot ids, 32 hex digits. */
const SLOT = /^[0-9a-f]{32}$/;
const MODEL_KEY = /^hmk_([0-9a-f]{32})_([0-9a-f]{64})$/;

/** One root key with its public id (8 hex digits; says which key of the ring derived a credential, reveals nothing of it). */
export interface RootKey {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** Root keys, newest first; the first derives new credentials, all verify. Never empty. */
export type KeyRing = readonly [RootKey, ...RootKey[]];

/** The text of a key ring is malformed; the message says how, never what it was. */
export class KeyRingError extends Error {
  override name = "KeyRingError";
}

/** Libsodium loads asynchronously; await this once before any other function of this module. */
export async function keysReady(): Promise<void> {
  await sodium.ready;
}

/**
 * Parses `OPENCLAW_ENCRYPTION_KEY`: one or more 32-byte keys as 64 hex digits or base64 (standard or URL-safe), separated by commas.
 * @throws KeyRingError naming the position of the malformed key.
 */
export function parseKeyRing(text: string): KeyRing {
  const keys = text.split(",").map((part, index) => rootKey(decodeKey(part.trim(), index)));
  const [first, ...rest] = keys;
  if (!first) throw new KeyRingError("no key given");
  if (new Set(keys.map((key) => key.id)).size !== keys.length) throw new KeyRingError("the same key appears twice");
  return [first, ...rest];
}

function decodeKey(text: string, index: number): Uint8Array {
  const bytes = /^[0-9a-fA-F]{64}$/.test(text)
    ? Buffer.from(text, "hex")
    : /^[A-Za-z0-9+/_-]+={0,2}$/.test(text)
      ? Buffer.from(text, "base64url")
      : new Uint8Array();
  if (bytes.length !== KEY_BYTES) throw new KeyRingError(`key ${index + 1} is not 32 bytes as 64 hex digits or base64`);
  return bytes;
}

function rootKey(bytes: Uint8Array): RootKey {
  return { id: derive(bytes, "key-id").slice(0, 8), bytes };
}

/** Keyed BLAKE2b-256 of a purpose string, as hex. */
function derive(key: Uint8Array, purpose: string): string {
  return sodium.crypto_generichash(32, purpose, key, "hex");
}

/** A fresh random slot id. */
export function newSlot(): string {
  return randomBytes(16).toString("hex");
}

/** True for a well-formed slot id. */
export function isSlot(text: string): boolean {
  return SLOT.test(text);
}

/** The key of the ring with this id, if it is still there. */
export function findKey(ring: KeyRing, id: string): RootKey | undefined {
  return ring.find((key) => key.id === id);
}

/** The bearer token of a slot's gateway (64 hex digits). Full operator access to that pod: never give it to a user. */
export function gatewayToken(key: RootKey, slot: string): string {
  return derive(key.bytes, `gateway:${requireSlot(slot)}`);
}

/** The virtual model key of a slot: its pod's only model credential, useless outside the model gateway. */
export function modelKey(key: RootKey, slot: string): string {
  return `hmk_${requireSlot(slot)}_${derive(key.bytes, `model:${slot}`)}`;
}

/** The slot that a virtual model key proves, recomputed under each key of the ring; undefined when it proves none. */
export function verifyModelKey(ring: KeyRing, presented: string): string | undefined {
  const [, slot, mac] = MODEL_KEY.exec(presented) ?? [];
  if (!slot || !mac) return undefined;
  return ring.some((key) => secretsEqual(derive(key.bytes, `model:${slot}`), mac)) ? slot : undefined;
}

/** The key under which secrets at rest are sealed (32 bytes). */
export function sealingKey(key: RootKey): Uint8Array {
  return sodium.crypto_generichash(KEY_BYTES, "seal", key.bytes);
}

/**
 * What is kept of a credential that its holder alone knows (64 hex digits): enough to know it again, and nothing can be guessed from
 * it without the root key.
 */
export function credentialHash(key: RootKey, credential: string): string {
  return derive(key.bytes, `token-hash:${credential}`);
}

/** Compares two secrets in time that depends on neither's content. */
export function secretsEqual(a: string, b: string): boolean {
  const hash = (text: string) => sodium.crypto_generichash(32, text, null);
  return timingSafeEqual(hash(a), hash(b));
}

function requireSlot(slot: string): string {
  if (!SLOT.test(slot)) throw new TypeError("a slot is 32 hex digits");
  return slot;
}
