import { beforeAll, expect, it } from "vitest";
import { ConfigError } from "#lib/env.ts";
import { keysReady } from "#lib/keys.ts";
import { readConfig } from "./config.ts";

const GOOD = {
  OPENCLAW_ENCRYPTION_KEY: "a1".repeat(32),
  OA_INTERNAL_KEY: "k".repeat(32),
  TENANT_NAMESPACE: "hatchery-tenants",
};

beforeAll(keysReady);

it("needs three variables and has defaults for the rest", () => {
  expect(readConfig(GOOD)).toMatchObject({
    internalKey: GOOD.OA_INTERNAL_KEY,
    tenantNamespace: "hatchery-tenants",
    port: 8080,
    opsPort: 9090,
    logLevel: "info",
    kubeconfig: undefined,
    maxStreamsPerTenant: 32,
    drainSeconds: 300,
  });
});

it.each([
  ["OPENCLAW_ENCRYPTION_KEY", undefined],
  ["OPENCLAW_ENCRYPTION_KEY", "too-short"],
  ["OA_INTERNAL_KEY", undefined],
  ["OA_INTERNAL_KEY", "short"],
  ["OA_INTERNAL_KEY", `${"k".repeat(40)} with a space`],
  ["TENANT_NAMESPACE", undefined],
  ["TENANT_NAMESPACE", "Not_A_Namespace"],
  ["PORT", "http"],
  ["OPS_PORT", "70000"],
  ["LOG_LEVEL", "loud"],
  ["MAX_STREAMS_PER_TENANT", "0"],
  ["DRAIN_SECONDS", "-1"],
])("refuses %s=%s by name, without repeating it", (name, value) => {
  const read = () => readConfig({ ...GOOD, [name]: value });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(`${name}: `);
  expect(read).toThrow("expects");
  if (value && value.length > 8) expect(read).not.toThrow(value);
});

it("names all that is wrong at once", () => {
  expect(() => readConfig({})).toThrow(/OPENCLAW_ENCRYPTION_KEY.*OA_INTERNAL_KEY.*TENANT_NAMESPACE/s);
});
