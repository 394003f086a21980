import { beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "#lib/env.ts";
import { keysReady } from "#lib/keys.ts";
import { readModelGatewayConfig } from "./config.ts";

const ROOT_KEY = "a1".repeat(32);
const PROVIDERS = JSON.stringify({ main: { baseUrl: "https://models.example/v1/", apiKeyEnv: "MAIN_KEY" } });
const good = { OPENCLAW_ENCRYPTION_KEY: ROOT_KEY, MODEL_PROVIDERS: PROVIDERS, MAIN_KEY: "sk-secret" };

function faultOf(env: Record<string, string | undefined>): string {
  try {
    readModelGatewayConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error("was taken");
}

describe("the configuration of the model gateway", () => {
  beforeAll(keysReady);

  it("reads providers with their keys and defaults", () => {
    const config = readModelGatewayConfig(good);
    expect(config.providers.get("main")).toEqual({
      name: "main",
      baseUrl: "https://models.example/v1",
      apiKey: "sk-secret",
      timeoutMs: 300_000,
    });
    expect(config).toMatchObject({ port: 8080, opsPort: 9090, logLevel: "info" });
  });

  it("names every missing variable at once", () => {
    const fault = faultOf({});
    expect(fault).toMatch(/OPENCLAW_ENCRYPTION_KEY: is not set .*32 bytes/);
    expect(fault).toMatch(/MODEL_PROVIDERS: is not set .*JSON/);
  });

  it.each(["sk key", "sk-key\n", "sk-ké"])(
    "refuses the key %j, which no header can carry, without repeating it",
    (key) => {
      const fault = faultOf({ ...good, MAIN_KEY: key });
      expect(fault).toMatch(
        /MAIN_KEY: is malformed \(expects the API key of provider main, visible ASCII characters\)/,
      );
      expect(fault).not.toContain(key);
    },
  );

  it("names the variable of a provider's key that is not set, and the provider", () => {
    expect(faultOf({ ...good, MAIN_KEY: "" })).toMatch(/MAIN_KEY: is not set .*provider main/);
  });

  it.each([
    ["no json", "expected record"],
    ["{}", "names no provider"],
    ['{"Main": {"baseUrl": "https://x/v1", "apiKeyEnv": "MAIN_KEY"}}', "at Main: is no provider name"],
    ['{"main": {"baseUrl": "ftp://x/v1", "apiKeyEnv": "MAIN_KEY"}}', "at main.baseUrl: is not an http(s) URL"],
    ['{"main": {"baseUrl": "https://x/v1", "apiKeyEnv": "not a name"}}', "at main.apiKeyEnv: is no name"],
    ['{"main": {"baseUrl": "https://x/v1", "apiKeyEnv": "MAIN_KEY", "apiKey": "sk-oops"}}', "at main: "],
  ])("refuses the providers %s and says where, never what", (providers, where) => {
    const fault = faultOf({ ...good, MODEL_PROVIDERS: providers });
    expect(fault).toContain("MODEL_PROVIDERS: ");
    expect(fault).toContain(where);
    expect(fault).not.toContain("sk-");
  });

  it("refuses a root key that is none without repeating it", () => {
    const fault = faultOf({ ...good, OPENCLAW_ENCRYPTION_KEY: "not-a-key" });
    expect(fault).toMatch(/OPENCLAW_ENCRYPTION_KEY: key 1 is not 32 bytes/);
    expect(fault).not.toContain("not-a-key");
  });
});
