import { beforeAll, describe, expect, it } from "vitest";
import { type KeyRing, keysReady, parseKeyRing } from "./keys.ts";
import { SealError, seal, unseal } from "./seal.ts";

const OLD = "a1".repeat(32);
const NEW = "b2".repeat(32);
const SECRET = "sk-ünïcode-0123456789";
let ring: KeyRing;

beforeAll(async () => {
  await keysReady();
  ring = parseKeyRing(OLD);
});

describe("a sealed secret", () => {
  it("opens for its owner and name, also once its key is the older one", () => {
    const sealed = seal(ring, SECRET, "human:alice", "provider_keys");
    expect(unseal(ring, sealed, "human:alice", "provider_keys")).toBe(SECRET);
    expect(unseal(parseKeyRing(`${NEW},${OLD}`), sealed, "human:alice", "provider_keys")).toBe(SECRET);
    expect(seal(parseKeyRing(`${NEW},${OLD}`), SECRET, "o", "n").keyId).not.toBe(sealed.keyId);
  });

  it("shows nothing of itself, and never the same bytes twice", () => {
    const [a, b] = [seal(ring, SECRET, "o", "n"), seal(ring, SECRET, "o", "n")];
    expect(Buffer.from(a.bytes).includes(SECRET)).toBe(false);
    expect(Buffer.from(a.bytes).equals(Buffer.from(b.bytes))).toBe(false);
  });

  it.each([
    ["another owner", "human:bob", "provider_keys"],
    ["another name", "human:alice", "service_token"],
    ["the same letters, split otherwise", "human:aliceprovider", "_keys"],
  ])("does not open for %s", (_who, owner, name) => {
    const sealed = seal(ring, SECRET, "human:alice", "provider_keys");
    expect(() => unseal(ring, sealed, owner, name)).toThrow(SealError);
  });

  it("does not open changed, cut short or without its key", () => {
    const sealed = seal(ring, SECRET, "o", "n");
    for (let at = 0; at < sealed.bytes.length; at++) {
      const bytes = Uint8Array.from(sealed.bytes);
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      expect(() => unseal(ring, { ...sealed, bytes }, "o", "n")).toThrow(SealError);
    }
    expect(() => unseal(ring, { ...sealed, bytes: sealed.bytes.subarray(0, 10) }, "o", "n")).toThrow(SealError);
    expect(() => unseal(parseKeyRing(NEW), sealed, "o", "n")).toThrow(
      /root key [0-9a-f]{8}, which is not in the key ring/,
    );
  });
});
