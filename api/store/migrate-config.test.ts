import { expect, it } from "vitest";
import { ConfigError } from "#lib/env.ts";
import { readMigrateConfig } from "./migrate-config.ts";

const GOOD = { DATABASE_URL: "postgresql://owner@postgres/hatchery" };

it("needs one variable and has defaults for the rest", () => {
  expect(readMigrateConfig(GOOD)).toMatchObject({
    database: {
      host: "postgres",
      port: 5432,
      user: "owner",
      database: "hatchery",
      password: undefined,
      tls: "disable",
    },
    role: { name: "hatchery_api", password: undefined },
    waitMs: 120_000,
    logLevel: "info",
  });
});

it("gives a statement the time that rewriting a table takes, whatever the API gives its own", () => {
  const { database } = readMigrateConfig({ ...GOOD, DATABASE_STATEMENT_TIMEOUT_MS: "100" });
  expect(database.statementTimeoutMs).toBe(600_000);
});

it.each([
  ["DATABASE_URL", ""],
  ["DATABASE_URL", "postgresql://hatchery_api@postgres/hatchery"],
  ["DATABASE_API_ROLE", 'Api"; drop'],
  ["DATABASE_WAIT_SECONDS", "-1"],
  ["LOG_LEVEL", "loud"],
])("refuses %s=%s by name", (name, value) => {
  const read = () => readMigrateConfig({ ...GOOD, [name]: value });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(`${name}: `);
});
