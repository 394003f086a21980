import { expect, it } from "vitest";
import { createVerifiedTokens, MAX_TOKENS, type VerifiedToken } from "./oidc-verified-tokens.ts";
import { ALL_SCOPES } from "./scopes.ts";

const VERIFIED: VerifiedToken = {
  identity: { scheme: "oidc", tenant: { kind: "Human", subject: "ann" }, scopes: ALL_SCOPES },
  goodUntil: 1_000,
  isKeyHeld: () => true,
};

it("forgets the least lately used of too many", () => {
  const tokens = createVerifiedTokens();
  for (let n = 0; n < MAX_TOKENS; n++) tokens.set(`token-${n}`, VERIFIED);
  expect(tokens.get("token-0", 0)).toBe(VERIFIED);
  tokens.set("one more", VERIFIED);
  expect(tokens.get("token-1", 0)).toBeUndefined();
  expect(tokens.get("token-0", 0)).toBe(VERIFIED);
  expect(tokens.get("one more", 0)).toBe(VERIFIED);
});

it("keeps no long ones", () => {
  const tokens = createVerifiedTokens();
  for (const length of [4_096, 4_097]) tokens.set("x".repeat(length), VERIFIED);
  expect(tokens.get("x".repeat(4_096), 0)).toBe(VERIFIED);
  expect(tokens.get("x".repeat(4_097), 0)).toBeUndefined();
});

it("forgets for good what is over, or whose key is gone", () => {
  const tokens = createVerifiedTokens();
  let isKeyHeld = false;
  tokens.set("a", VERIFIED);
  tokens.set("b", { ...VERIFIED, isKeyHeld: () => isKeyHeld });
  expect(tokens.get("a", 1_000)).toBeUndefined();
  expect(tokens.get("b", 0)).toBeUndefined();
  isKeyHeld = true;
  expect([tokens.get("a", 0), tokens.get("b", 0)]).toEqual([undefined, undefined]);
});
