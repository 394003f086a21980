import { expect, it } from "vitest";
import { refusal, refusalNote } from "./provider-error.ts";

const provider = { name: "main", baseUrl: "http://127.0.0.1:1/v1", apiKey: "sk-own-key", timeoutMs: 1_000 };

it("speaks of the credential only where the provider refused it", () => {
  expect(refusal(provider, 401, "{}")).toMatchObject({ status: 401, code: "provider_credential_refused" });
  const forbidden = refusal(provider, 403, '{"error": {"message": "no such region for sk-own-key"}}');
  expect(forbidden).toMatchObject({ status: 403, code: "provider_refused", message: expect.stringContaining("main") });
  expect(JSON.stringify(forbidden)).not.toContain("credential");
});

it("tells the log the provider's words, without the key and cut", () => {
  expect(refusalNote(provider, 403, "Country not allowed for sk-own-key").message).toBe(
    "the model provider main answered 403: Country not allowed for [redacted]",
  );
  expect(refusalNote(provider, 500, "").message).toContain("(no words)");
  const long = refusalNote(provider, 400, `${"x".repeat(295)}sk-own-key${"y".repeat(1_000)}`).message;
  expect(long).not.toContain("sk-");
  expect(long.endsWith(`${"x".repeat(295)}[reda`)).toBe(true);
});
