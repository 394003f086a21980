import { describe, expect, it } from "vitest";
import { readableSessionKey, writableSessionKey } from "./session-key.ts";

describe("a session to write to", () => {
  it.each([
    ["main", "main"],
    ["App:U1", "app:u1"],
    ["6f1e9c40-8f2b-4d4c-9a5d-0c8b1d3c2f10", "6f1e9c40-8f2b-4d4c-9a5d-0c8b1d3c2f10"],
    ["agent:main:app:u1:c1", "agent:main:app:u1:c1"],
    ["a".repeat(128), "a".repeat(128)],
    ["cronos", "cronos"],
  ])("%s", (given, key) => {
    expect(writableSessionKey.parse(given)).toBe(key);
  });

  it.each([
    "",
    "a".repeat(129),
    "a b",
    "a/b",
    "../x",
    "a\nb",
    "é",
    "subagent:x",
    "SubAgent:x",
    "cron:x",
    "acp:x",
    "agent:main:subagent:x",
    "agent:main:cron:x",
    "agent:other:main",
    "agent:main:",
    "agent:main:agent:other:x",
    "agent:",
  ])("never %j", (given) => {
    expect(writableSessionKey.safeParse(given).success).toBe(false);
  });
});

describe("a session to read", () => {
  it.each(["main", "agent:main:telegram:group:-100:+49@x", "agent:main:cron:nightly"])("%s", (given) => {
    expect(readableSessionKey.parse(given)).toBe(given);
  });

  it.each(["", "a b", "a\u0000", "x".repeat(513)])("never %j", (given) => {
    expect(readableSessionKey.safeParse(given).success).toBe(false);
  });
});
