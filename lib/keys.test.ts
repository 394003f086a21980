import { beforeAll, describe, expect, it } from "vitest";
import {
  credentialHash,
  findKey,
  gatewayToken,
  KeyRingError,
  keysReady,
  modelKey,
  newSlot,
  parseKeyRing,
  secretsEqual,
  verifyModelKey,
} from "./keys.ts";

const A = "a1".repeat(32);
const B = "b2".repeat(32);

describe("keys", () => {
  beforeAll(keysReady);

  it("reads hex and base64 as the same key", () => {
    const [hex] = parseKeyRing(A);
    const [base64] = parseKeyRing(Buffer.from(A, "hex").toString("base64"));
    const [base64url] = parseKeyRing(Buffer.from(A, "hex").toString("base64url"));
    expect(base64.id).toBe(hex.id);
    expect(base64url.id).toBe(hex.id);
  });

  it.each([
    ["", "key 1"],
    ["abc", "key 1"],
    [`${A},zz`, "key 2"],
    ["x y".repeat(20), "key 1"],
    [`${A},${A}`, "twice"],
  ])("refuses %j and says where without repeating it", (text, where) => {
    const parse = () => parseKeyRing(text);
    expect(parse).toThrow(KeyRingError);
    expect(parse).toThrow(where);
    expect(parse).not.toThrow(A);
  });

  it("derives different tokens per slot, key and purpose", () => {
    const [a, b] = parseKeyRing(`${A},${B}`) as [
      ReturnType<typeof parseKeyRing>[0],
      ReturnType<typeof parseKeyRing>[0],
    ];
    const [s, t] = [newSlot(), newSlot()];
    const all = [
      gatewayToken(a, s),
      gatewayToken(a, t),
      gatewayToken(b, s),
      modelKey(a, s).slice(-64),
      modelKey(b, s).slice(-64),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(gatewayToken(a, s)).toBe(gatewayToken(a, s));
  });

  it("verifies a model key under any key of the ring and nothing else", () => {
    const ring = parseKeyRing(`${B},${A}`);
    const old = parseKeyRing(A);
    const slot = newSlot();
    const key = modelKey(old[0], slot);
    expect(verifyModelKey(ring, key)).toBe(slot);
    expect(verifyModelKey(parseKeyRing(B), key)).toBeUndefined();
    expect(verifyModelKey(ring, key.replace(slot, newSlot()))).toBeUndefined();
    expect(verifyModelKey(ring, `${key}0`)).toBeUndefined();
    expect(verifyModelKey(ring, "")).toBeUndefined();
  });

  it("hashes a credential for each key anew, and tells nothing of it", () => {
    const [a] = parseKeyRing(A);
    const [b] = parseKeyRing(B);
    const hashes = [
      credentialHash(a, "oa_live_1"),
      credentialHash(a, "oa_live_2"),
      credentialHash(b, "oa_live_1"),
      gatewayToken(a, newSlot()),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(credentialHash(a, "oa_live_1")).toBe(hashes[0]);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("finds a key by id and compares secrets", () => {
    const ring = parseKeyRing(`${A},${B}`);
    expect(findKey(ring, ring[0].id)).toBe(ring[0]);
    expect(findKey(ring, "00000000")).toBeUndefined();
    expect(secretsEqual("x", "x")).toBe(true);
    expect(secretsEqual("x", "xy")).toBe(false);
  });
});
