import { beforeAll, expect, it } from "vitest";
import { ConfigError } from "#lib/env.ts";
import { keysReady } from "#lib/keys.ts";
import { readConfig } from "./config.ts";

const GOOD = {
  OPENCLAW_ENCRYPTION_KEY: "a1".repeat(32),
  OA_INTERNAL_KEY: "k".repeat(32),
  TENANT_NAMESPACE: "hatchery-tenants",
  DATABASE_URL: "postgresql://hatchery_api@postgres:5432/hatchery",
};

beforeAll(keysReady);

it("needs four variables and has defaults for the rest", () => {
  expect(readConfig(GOOD)).toMatchObject({
    internalKey: GOOD.OA_INTERNAL_KEY,
    tenantNamespace: "hatchery-tenants",
    port: 8080,
    opsPort: 9090,
    logLevel: "info",
    kubeconfig: undefined,
    database: { host: "postgres", port: 5432, user: "hatchery_api", database: "hatchery", tls: "disable", poolMax: 10 },
    oidc: { issuers: [], leewaySeconds: 60, keyRefreshSeconds: 300, maxTokenAgeSeconds: 86_400, caFile: undefined },
    accessMode: "approved",
    admins: { userIds: [], emails: [], group: undefined },
    trustedProxies: [],
    allowedOrigins: [],
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
  ["DATABASE_URL", undefined],
  ["DATABASE_URL", "mysql://hatchery_api@postgres/hatchery"],
  ["DATABASE_URL", "postgresql://hatchery_api:hunter2hunter2@postgres/hatchery"],
  ["DATABASE_URL", "postgresql://hatchery_api@postgres/hatchery?sslmode=require"],
  ["DATABASE_URL", "postgresql://hatchery_api@postgres"],
  ["DATABASE_URL", "postgresql://postgres/hatchery"],
  ["DATABASE_TLS", "perhaps"],
  ["DATABASE_POOL_MAX", "0"],
  ["OIDC_ISSUERS", "https://id.example.org"],
  ["OIDC_CLOCK_LEEWAY_SECONDS", "301"],
  ["OIDC_KEY_REFRESH_SECONDS", "9"],
  ["OIDC_MAX_TOKEN_AGE_SECONDS", "forever"],
  ["ACCESS_MODE", "everybody"],
  ["OA_ADMIN_EMAILS", "root@example.org, not-an-address"],
  ["TRUSTED_PROXIES", "10.0.0.0/8, everybody"],
  ["TRUSTED_PROXIES", "0.0.0.0/0"],
  ["ALLOWED_ORIGINS", "https://console.example.org/path"],
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

it("reads lists without their spaces, and addresses in one spelling", () => {
  const lists = {
    OA_ADMIN_USER_IDS: "Root, user_2 ,",
    OA_ADMIN_EMAILS: " Ann@Example.org",
    TRUSTED_PROXIES: "10.0.0.0/8, 2001:db8::1",
    ALLOWED_ORIGINS: "https://a.org,http://localhost:3000",
  };
  expect(readConfig({ ...GOOD, ...lists })).toMatchObject({
    admins: { userIds: ["Root", "user_2"], emails: ["ann@example.org"] },
    trustedProxies: ["10.0.0.0/8", "2001:db8::1"],
    allowedOrigins: ["https://a.org", "http://localhost:3000"],
  });
});

it("names all that is wrong at once", () => {
  expect(() => readConfig({})).toThrow(/OPENCLAW_ENCRYPTION_KEY.*OA_INTERNAL_KEY.*TENANT_NAMESPACE.*DATABASE_URL/s);
});
