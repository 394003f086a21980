import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Tenant } from "#crds/index.ts";
import { type KeyRing, keysReady, parseKeyRing } from "#lib/keys.ts";
import { createLogger } from "#lib/log.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.fixture.ts";
import { reseal } from "./reseal.ts";
import { deleteSecrets, getSecret, putSecret } from "./secrets.ts";

const alice: Tenant = { kind: "Human", subject: "alice" };
const bob: Tenant = { kind: "Human", subject: "bob" };
const OLD = "a1".repeat(32);
const NEW = "b2".repeat(32);
const log = createLogger("test", "silent");
const running = new AbortController().signal;

let database: TestDatabase;
let ring: KeyRing;
beforeAll(async () => {
  await keysReady();
  ring = parseKeyRing(OLD);
  database = await createTestDatabase(inject("postgresPort"));
});
afterAll(() => database[Symbol.asyncDispose]());

describe("a tenant's secrets", () => {
  it("are kept, replaced and forgotten, each tenant's own", async () => {
    expect(await getSecret(database.db, ring, alice, "provider_keys")).toBeUndefined();
    await putSecret(database.db, ring, alice, "provider_keys", "first");
    await putSecret(database.db, ring, alice, "provider_keys", "second-of-alice");
    await putSecret(database.db, ring, bob, "provider_keys", "of-bob");
    expect(await getSecret(database.db, ring, alice, "provider_keys")).toBe("second-of-alice");
    const { rows } = await sql<{ text: string }>`select encode(sealed, 'escape') as text from sealed_secrets`.execute(
      database.db,
    );
    expect(rows.map(({ text }) => text).join()).not.toMatch(/of-alice|of-bob/);
    await deleteSecrets(database.db, alice);
    expect(await getSecret(database.db, ring, alice, "provider_keys")).toBeUndefined();
    expect(await getSecret(database.db, ring, bob, "provider_keys")).toBe("of-bob");
  });

  it("are worth nothing in another tenant's row", async () => {
    await putSecret(database.db, ring, alice, "service_token", "alice's");
    await sql`update sealed_secrets set tenant_key = 'human:eve' where tenant_key = 'human:alice'`.execute(
      database.owner,
    );
    const eve: Tenant = { kind: "Human", subject: "eve" };
    await expect(getSecret(database.db, ring, eve, "service_token")).rejects.toThrow("does not open");
    await deleteSecrets(database.db, eve);
  });
});

it("a newer root key takes over what an older one sealed, page by page, and tells of what does not open", async () => {
  const count = 230;
  for (let n = 0; n < count; n++) {
    await putSecret(database.db, ring, { kind: "Agent", subject: String(n) }, "service_token", `secret-${n}`);
  }
  await sql`update sealed_secrets set sealed = '\\x00' where tenant_key = 'agent:17'`.execute(database.db);
  const both = parseKeyRing(`${NEW},${OLD}`);
  const all = await Promise.all([reseal(database.db, both, log, running), reseal(database.db, both, log, running)]);
  expect(Math.max(...all.map(({ broken }) => broken))).toBe(1);
  expect(await reseal(database.db, both, log, running)).toEqual({ resealed: 0, broken: 1 });
  const newest = parseKeyRing(NEW);
  expect(await getSecret(database.db, newest, { kind: "Agent", subject: "229" }, "service_token")).toBe("secret-229");
  await expect(getSecret(database.db, newest, { kind: "Agent", subject: "17" }, "service_token")).rejects.toThrow();
});
