import { expect, it } from "vitest";
import { emailSchema, normalizeEmail } from "./email.ts";

it.each([
  ["ann@example.org", "ann@example.org"],
  ["  Ann.B+tag@Example.ORG\n", "ann.b+tag@example.org"],
  ["o'neill_1@sub.a-b.example.co", "o'neill_1@sub.a-b.example.co"],
  ["É@example.org", "é@example.org"],
  [`${"a".repeat(64)}@example.org`, `${"a".repeat(64)}@example.org`],
])("takes %j as %s", (text, email) => {
  expect(normalizeEmail(text)).toBe(email);
  expect(emailSchema.parse(text)).toBe(email);
  // One spelling: reading it again changes nothing.
  expect(normalizeEmail(email)).toBe(email);
});

it.each([
  "",
  "ann",
  "ann@",
  "@example.org",
  "ann@localhost",
  "ann@example..org",
  "ann@-example.org",
  "ann@example-.org",
  "ann@ex_ample.org",
  "a b@example.org",
  "a@b@example.org",
  "ann@example.org, bob@example.org",
  "<ann@example.org>",
  'ann"@example.org',
  "ann\u0000@example.org",
  "ann\u200b@example.org",
  "ann\u202e@example.org",
  "ann\ud800@example.org",
  `${"a".repeat(65)}@example.org`,
  `ann@${"a".repeat(65)}.org`,
  `ann@${"a.".repeat(130)}org`,
])("takes %j for none", (text) => {
  expect(normalizeEmail(text)).toBeUndefined();
  expect(emailSchema.safeParse(text).error?.issues).toMatchObject([{ message: "expected an e-mail address" }]);
});

it("gives up on long texts without ado", () => {
  const long = `${"a".repeat(100_000)}@${"b.".repeat(100_000)}`;
  expect(normalizeEmail(long)).toBeUndefined();
  expect(emailSchema.safeParse(long).success).toBe(false);
});
