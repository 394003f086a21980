import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createPki } from "#test/cluster/pki.ts";
import { OWNER, type PostgresServer, startPostgres } from "#test/harness/postgres.ts";
import { databaseOn, openDatabase } from "../testing/database.fixture.ts";
import type { DatabaseConfig } from "./database-env.ts";
import { StoreError } from "./store-error.ts";

let work: string;
let server: PostgresServer;
let authority: string;
let stranger: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "hatchery-tls-"));
  const [own, other] = [join(work, "own"), join(work, "other")];
  // A name, and no address: what is asked for by address has the wrong certificate.
  await createPki(own, [{ name: "postgres", commonName: "postgres", altNames: ["DNS:localhost"] }]);
  await createPki(other, []);
  [authority, stranger] = [join(own, "ca.crt"), join(other, "ca.crt")];
  server = await startPostgres({
    ssl: "on",
    ssl_cert_file: join(own, "postgres.crt"),
    ssl_key_file: join(own, "postgres.key"),
  });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await rm(work, { recursive: true });
});

/** Whether a connection by this configuration is encrypted, as Postgres sees it. */
async function isEncrypted(config: Partial<DatabaseConfig>, port = server.port): Promise<boolean | undefined> {
  const db = openDatabase<unknown>({ ...databaseOn(port, "postgres", OWNER), ...config });
  try {
    const { rows } = await sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(db);
    return rows[0]?.ssl;
  } finally {
    await db.destroy();
  }
}

describe("TLS to Postgres", () => {
  it("is used when asked for, and the certificate checked when asked for", async () => {
    expect(await isEncrypted({ tls: "disable" })).toBe(false);
    expect(await isEncrypted({ tls: "require" })).toBe(true);
    expect(await isEncrypted({ tls: "verify-full", host: "localhost", caFile: authority })).toBe(true);
  });

  it("ends in a failure that says why, never in plain text, where it cannot be", async () => {
    const refused = async (config: Partial<DatabaseConfig>, why: RegExp, port?: number) => {
      const error = await isEncrypted(config, port).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ reason: "unavailable", message: expect.stringMatching(why) });
    };
    await refused({ tls: "verify-full", host: "localhost" }, /unable to verify|self.signed/);
    await refused({ tls: "verify-full", host: "localhost", caFile: stranger }, /unable to verify|self.signed/);
    await refused({ tls: "verify-full", caFile: authority }, /altnames|IP/);
    // The server of the other tests has none.
    await refused({ tls: "require" }, /does not support SSL/, inject("postgresPort"));
  });

  it("needs a file that is there", () => {
    const config = { ...databaseOn(server.port, "postgres", OWNER), tls: "verify-full" as const };
    expect(() => openDatabase({ ...config, caFile: join(work, "none.crt") })).toThrow(/ENOENT.*none\.crt/);
  });
});
