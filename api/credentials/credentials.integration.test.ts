import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Tenant } from "#crds/index.ts";
import { type KeyRing, keysReady, parseKeyRing } from "#lib/keys.ts";
import { createLogger } from "#lib/log.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type PostgresServer, startPostgres } from "#test/harness/postgres.ts";
import { recordUser } from "../access/users.ts";
import type { Identity } from "../auth/identity.ts";
import { ALL_SCOPES } from "../auth/scopes.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.fixture.ts";
import { eventually } from "../testing/eventually.ts";
import { createToken, revokeToken } from "../tokens/tokens.ts";
import { createLastUse, WRITE_EVERY_MS } from "./last-use.ts";
import { type CredentialVerifier, createCredentialVerifier } from "./verifier.ts";

const log = createLogger("test", "silent");
const anew = { mayBeRemembered: false };
const chat = { mayBeRemembered: true };
const change = { by: { name: "human:ann", scheme: "oidc" }, requestId: "r-1" };
const ann: Tenant = { kind: "Human", subject: "ann" };
const identity: Identity = { scheme: "oidc", tenant: ann, scopes: ALL_SCOPES };
const rejected = { code: "unauthorized" };

let server: PostgresServer;
let database: TestDatabase;
let clock: ManualClock;
let oldRing: KeyRing;
let bothRing: KeyRing;
let newRing: KeyRing;

beforeAll(async () => {
  await keysReady();
  oldRing = parseKeyRing("a1".repeat(32));
  bothRing = parseKeyRing(`${"b2".repeat(32)},${"a1".repeat(32)}`);
  newRing = parseKeyRing("b2".repeat(32));
  server = await startPostgres();
  database = await createTestDatabase(server.port);
  await recordUser(database.db, ann);
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => {
  clock = new ManualClock(Date.now());
});

/** A replica that runs with this ring. */
function replica(keyRing: KeyRing) {
  const lastUse = createLastUse({ store: database, clock, log });
  const verifier = createCredentialVerifier({ store: database, keyRing, clock, lastUse });
  const verify: CredentialVerifier["verify"] = (...given) => verifier.verify(...given);
  return { lastUse, verify };
}

async function mint(keyRing: KeyRing, expiresAt?: number) {
  const asked = { name: "t", scopes: undefined, expiresAt, mayBeAdmin: false, now: clock.now() };
  const { secret, credential } = await createToken(database.db, keyRing, identity, asked, change);
  return { secret, id: credential.id };
}
const lastUsed = async (id: string) =>
  (
    await database.db.selectFrom("credentials").select("last_used_at").where("id", "=", id).executeTakeFirst()
  )?.last_used_at?.getTime();
const keysOf = async (id: string) =>
  (await database.db.selectFrom("credential_hashes").select("root_key_id").where("credential_id", "=", id).execute())
    .map(({ root_key_id }) => root_key_id)
    .sort();

describe("a new root key", () => {
  it("locks nobody out, whichever replicas have it already, and whether it is taken back", async () => {
    const before = await mint(oldRing);
    const [old, both] = [replica(oldRing), replica(bothRing)];
    const during = await mint(bothRing);
    for (const { secret } of [before, during]) {
      expect(await old.verify("api-token", secret, anew)).toMatchObject({ tenant: ann });
      expect(await both.verify("api-token", secret, anew)).toMatchObject({ tenant: ann });
    }
    expect(await keysOf(during.id)).toEqual([oldRing[0].id, newRing[0].id].sort());
    await both.lastUse.close();
    expect(await old.verify("api-token", before.secret, anew)).toMatchObject({ tenant: ann });
  });

  it("takes over a token at its next use, so that the old one can go; one that was not used goes with it", async () => {
    const used = await mint(oldRing);
    const unused = await mint(oldRing);
    const both = replica(bothRing);
    await both.verify("api-token", used.secret, chat);
    await both.verify("api-token", used.secret, chat);
    expect(await keysOf(used.id)).toEqual([oldRing[0].id]);
    await clock.advance(WRITE_EVERY_MS);
    await eventually(() => keysOf(used.id)).toEqual([oldRing[0].id, newRing[0].id].sort());
    const renewed = replica(newRing);
    expect(await renewed.verify("api-token", used.secret, anew)).toMatchObject({ credentialId: used.id });
    await expect(renewed.verify("api-token", unused.secret, anew)).rejects.toMatchObject(rejected);
  });

  it("is taken over by several replicas at once", async () => {
    const tokens = await Promise.all(Array.from({ length: 10 }, () => mint(oldRing)));
    const replicas = Array.from({ length: 4 }, () => replica(bothRing));
    await Promise.all(replicas.flatMap(({ verify }) => tokens.map(({ secret }) => verify("api-token", secret, anew))));
    await Promise.all(replicas.map(({ lastUse }) => lastUse.close()));
    for (const { id } of tokens) expect(await keysOf(id)).toHaveLength(2);
  });
});

describe("a last use", () => {
  it("is written a minute after the first at the latest, and on the way out", async () => {
    const { secret, id } = await mint(oldRing);
    const { verify, lastUse } = replica(oldRing);
    await verify("api-token", secret, anew);
    await clock.advance(WRITE_EVERY_MS - 1);
    await verify("api-token", secret, anew);
    const last = clock.now();
    expect(await lastUsed(id)).toBeUndefined();
    await clock.advance(1);
    await eventually(() => lastUsed(id)).toBe(last);

    await clock.advance(5_000);
    await verify("api-token", secret, chat);
    await lastUse.close();
    expect(await lastUsed(id)).toBe(clock.now());
    expect(clock.pending).toBe(0);
  });

  it("is no write where nothing was used, and never goes back", async () => {
    const { secret, id } = await mint(oldRing);
    const behind = replica(oldRing);
    await behind.verify("api-token", secret, anew);
    await clock.advance(1_000);
    const ahead = replica(oldRing);
    await ahead.verify("api-token", secret, anew);
    const last = clock.now();
    await ahead.lastUse.close();
    await behind.lastUse.close();
    expect(await lastUsed(id)).toBe(last);
    await ahead.lastUse.close();
    expect(clock.pending).toBe(0);
  });

  it("is not of one that was refused", async () => {
    const { secret, id } = await mint(oldRing, clock.now() + 1);
    await clock.advance(1);
    const { verify, lastUse } = replica(oldRing);
    await expect(verify("api-token", secret, anew)).rejects.toMatchObject(rejected);
    await lastUse.close();
    expect(await lastUsed(id)).toBeUndefined();
  });

  it("is written late when Postgres was away, and is nobody's trouble when it stays away", async () => {
    const { secret, id } = await mint(oldRing);
    const { verify, lastUse } = replica(oldRing);
    await verify("api-token", secret, anew);
    const last = clock.now();
    await server.kill();
    await clock.advance(WRITE_EVERY_MS);
    await eventually(() => clock.pending).toBe(1);
    await lastUse.close();
    expect(clock.pending).toBe(0);
    await server.restart();
    await lastUse.close();
    expect(await lastUsed(id)).toBe(last);
  });
});

describe("a remembered credential", () => {
  it("does for a chat for a minute while Postgres is away, not beyond its end, and for nothing else", async () => {
    const { secret } = await mint(oldRing);
    const brief = await mint(oldRing, clock.now() + 30_000);
    const unseen = await mint(oldRing);
    const { verify } = replica(oldRing);
    await verify("api-token", secret, chat);
    await verify("api-token", brief.secret, chat);
    await server.kill();
    const away = { reason: "unavailable" };
    await clock.advance(29_999);
    expect(await verify("api-token", secret, chat)).toMatchObject({ tenant: ann });
    expect(await verify("api-token", brief.secret, chat)).toMatchObject({ tenant: ann });
    await expect(verify("api-token", secret, anew)).rejects.toMatchObject(away);
    await expect(verify("api-token", unseen.secret, chat)).rejects.toMatchObject(away);
    await expect(verify("api-token", `oa_live_${"0".repeat(64)}`, chat)).rejects.toMatchObject(away);
    await expect(verify("api-token", "oa_live_malformed", chat)).rejects.toMatchObject(rejected);
    await clock.advance(1);
    await expect(verify("api-token", brief.secret, chat)).rejects.toMatchObject(rejected);
    await clock.advance(30_000);
    expect(await verify("api-token", secret, chat)).toMatchObject({ tenant: ann });
    await clock.advance(1);
    await expect(verify("api-token", secret, chat)).rejects.toMatchObject(away);
    await server.restart();
    expect(await verify("api-token", secret, chat)).toMatchObject({ tenant: ann });
  });

  it("that is revoked is refused at once but for a chat, and for that after five seconds", async () => {
    const { secret, id } = await mint(oldRing);
    const { verify } = replica(oldRing);
    await verify("api-token", secret, chat);
    await revokeToken(database.db, { owner: "human:ann", id }, change);
    expect(await verify("api-token", secret, chat)).toMatchObject({ tenant: ann });
    await clock.advance(5_001);
    await expect(verify("api-token", secret, chat)).rejects.toMatchObject({
      ...rejected,
      logReason: `api-token ${id}: revoked`,
    });

    const other = await mint(oldRing);
    await verify("api-token", other.secret, chat);
    await revokeToken(database.db, { owner: "human:ann", id: other.id }, change);
    await expect(verify("api-token", other.secret, anew)).rejects.toMatchObject(rejected);
    await expect(verify("api-token", other.secret, chat)).rejects.toMatchObject(rejected);
  });

  it("is of its own scheme", async () => {
    const { secret } = await mint(oldRing);
    const { verify } = replica(oldRing);
    await expect(verify("agent-key", secret, anew)).rejects.toMatchObject(rejected);
    await expect(verify("agent-key", secret.replace("oa_", "oak_"), anew)).rejects.toMatchObject(rejected);
  });
});
