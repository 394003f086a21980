import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Tenant } from "#crds/index.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type PostgresServer, startPostgres } from "#test/harness/postgres.ts";
import type { Identity } from "../auth/identity.ts";
import { ALL_SCOPES } from "../auth/scopes.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.fixture.ts";
import { createAdmins } from "./admins.ts";
import { type AccessGate, createAccessGate, requireLastingAccess } from "./gate.ts";
import { setUserAccess } from "./user-access.ts";
import { joinWaitlist, setWaitlistApproval } from "./waitlist.ts";

const admins = createAdmins({ userIds: ["root"], emails: ["boss@example.org"], group: "platform" });
const change = { by: { name: "human:root", scheme: "oidc" }, requestId: "r-1" };
const anew = { mayBeRemembered: false };
const chat = { mayBeRemembered: true };

const human = (subject: string): Tenant => ({ kind: "Human", subject });
const agent = (subject: string): Tenant => ({ kind: "Agent", subject });
const is = (tenant: Tenant, more: Partial<Identity> = {}): Identity => ({
  scheme: "oidc",
  tenant,
  scopes: ALL_SCOPES,
  ...more,
});

let database: TestDatabase;
let gate: AccessGate;
let open: AccessGate;
beforeAll(async () => {
  database = await createTestDatabase(inject("postgresPort"));
  const parts = { store: database, admins, clock: new ManualClock() };
  gate = createAccessGate({ ...parts, mode: "approved" });
  open = createAccessGate({ ...parts, mode: "open" });
});
afterAll(() => database[Symbol.asyncDispose]());

const enable = (tenant: Tenant, enabled: boolean) => setUserAccess(database.db, { tenant, enabled }, change);
const approve = (email: string, approved = true) => setWaitlistApproval(database.db, { email, approved }, change);
const allowed = async (identity: Identity, by = gate) => (await by.explain(identity)).allowed;

describe("a human", () => {
  it("is out until somebody lets them in, and is on record from the first sight", async () => {
    expect(await gate.explain(is(human("ann")))).toEqual({
      allowed: false,
      isAdmin: false,
      userAccess: null,
      email: null,
      waitlistEntry: null,
    });
    await expect(gate.check(is(human("ann")), anew)).rejects.toMatchObject({ code: "access_denied" });
    await enable(human("ann"), true);
    expect(await gate.check(is(human("ann")), anew)).toMatchObject({ allowed: true, userAccess: true });
    await enable(human("ann"), false);
    await expect(gate.check(is(human("ann")), anew)).rejects.toMatchObject({ code: "access_denied" });
  });

  it("is no other one whose id differs by case, nor an agent of that id", async () => {
    await gate.explain(is(human("Bea")));
    await enable(human("Bea"), true);
    expect(await allowed(is(human("Bea")))).toBe(true);
    expect(await allowed(is(human("bea")))).toBe(false);
    expect(await allowed(is(agent("Bea")))).toBe(false);
  });

  it("is let in by an approved address that is vouched for, until the approval is taken back", async () => {
    const cat = is(human("cat"), { email: "cat@example.org" });
    await joinWaitlist(database.db, "cat@example.org", "hatchery");
    expect(await gate.explain(cat)).toMatchObject({ allowed: false, waitlistEntry: { approved: false } });
    await approve("cat@example.org");
    expect(await gate.explain(cat)).toMatchObject({ allowed: true, waitlistEntry: { approved: true } });
    expect(await allowed(is(human("not-cat")))).toBe(false);
    await approve("cat@example.org", false);
    expect(await allowed(cat)).toBe(false);
  });

  it("keeps the address on record when they come without one, and loses the old one's approval with a new one", async () => {
    await approve("dan@example.org");
    expect(await allowed(is(human("dan"), { email: "dan@example.org" }))).toBe(true);
    expect(await gate.explain(is(human("dan")))).toMatchObject({ allowed: true, email: "dan@example.org" });
    const moved = is(human("dan"), { email: "dan@elsewhere.example" });
    expect(await gate.explain(moved)).toMatchObject({ allowed: false, email: "dan@elsewhere.example" });
    expect(await gate.explain(is(human("dan")))).toMatchObject({ allowed: false, email: "dan@elsewhere.example" });
    await approve("dan@elsewhere.example");
    expect(await allowed(is(human("dan")))).toBe(true);
  });

  it("is an admin by id, by an address that is or was vouched for, and by a group they come with", async () => {
    const verdict = async (identity: Identity) => {
      const { isAdmin, allowed } = await gate.explain(identity);
      return [isAdmin, allowed];
    };
    expect(await verdict(is(human("root")))).toEqual([true, true]);
    expect(await verdict(is(human("eve"), { email: "boss@example.org" }))).toEqual([true, true]);
    expect(await verdict(is(human("eve")))).toEqual([true, true]);
    expect(await verdict(is(human("eve"), { email: "eve@example.org" }))).toEqual([false, false]);
    expect(await verdict(is(human("fay"), { groups: ["platform"] }))).toEqual([true, true]);
    expect(await verdict(is(human("fay"), { groups: ["staff"] }))).toEqual([false, false]);
  });

  it("who was shut out stays out: as an admin, with an approved address, and when everybody is let in", async () => {
    await approve("gil@example.org");
    const all = is(human("gil"), { email: "gil@example.org", groups: ["platform"] });
    expect([await allowed(all), await allowed(all, open)]).toEqual([true, true]);
    await enable(human("gil"), false);
    expect([await allowed(all), await allowed(all, open)]).toEqual([false, false]);
    await enable(human("gil"), true);
    expect([await allowed(all), await allowed(all, open)]).toEqual([true, true]);
  });

  it("is let in when everybody is", async () => {
    expect([await allowed(is(human("hal"))), await allowed(is(human("hal")), open)]).toEqual([false, true]);
  });

  it("leaves behind only what gets in without their groups", async () => {
    const ida = is(human("ida"), { groups: ["platform"] });
    await expect(requireLastingAccess(gate, ida)).rejects.toMatchObject({ code: "access_denied" });
    expect(await requireLastingAccess(open, ida)).toMatchObject({ allowed: true, isAdmin: false });
    await enable(human("ida"), true);
    expect(await requireLastingAccess(gate, ida)).toMatchObject({ allowed: true, isAdmin: false });
  });

  it("is put on record once by many requests at a time", async () => {
    const jan = is(human("jan"), { email: "jan@example.org" });
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => gate.explain(jan)));
    expect(new Set(verdicts.map(({ email }) => email))).toEqual(new Set(["jan@example.org"]));
  });
});

describe("an agent", () => {
  it("gets in with its owner, however the owner does", async () => {
    const kim = is(agent("a-1"), { owner: human("kim") });
    expect(await allowed(kim)).toBe(false);
    await enable(human("kim"), true);
    expect(await gate.explain(kim)).toMatchObject({ allowed: true, isAdmin: false, userAccess: null });
    await gate.explain(is(human("lea"), { email: "lea@example.org" }));
    await approve("lea@example.org");
    expect(await allowed(is(agent("a-2"), { owner: human("lea") }))).toBe(true);
    expect(await gate.explain(is(agent("a-3"), { owner: human("root") }))).toMatchObject({
      allowed: true,
      isAdmin: false,
    });
  });

  it("goes with its owner, whatever was decided about it", async () => {
    const own = is(agent("b-1"), { owner: human("mia") });
    expect(await allowed(own, open)).toBe(true);
    await enable(agent("b-1"), true);
    await enable(human("mia"), false);
    expect([await allowed(own), await allowed(own, open)]).toEqual([false, false]);
  });

  it("can be shut out while its owner is not, and let in while its owner waits", async () => {
    const own = is(agent("c-1"), { owner: human("nia") });
    await allowed(own);
    await enable(agent("c-1"), true);
    expect([await allowed(own), await allowed(is(human("nia")))]).toEqual([true, false]);
    await enable(human("nia"), true);
    await enable(agent("c-1"), false);
    expect([await allowed(own), await allowed(is(human("nia")))]).toEqual([false, true]);
  });

  it("that nobody owns needs a decision of its own", async () => {
    const alone = is(agent("d-1"));
    expect([await allowed(alone), await allowed(alone, open)]).toEqual([false, true]);
    await enable(agent("d-1"), true);
    expect(await allowed(alone)).toBe(true);
    await enable(agent("d-1"), false);
    expect(await allowed(alone, open)).toBe(false);
  });
});

describe("while Postgres is away", () => {
  let server: PostgresServer;
  let own: TestDatabase;
  beforeAll(async () => {
    server = await startPostgres();
    own = await createTestDatabase(server.port);
  });
  afterAll(async () => {
    await own[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it("a chat goes on for a minute for those who were let in, and for nobody and nothing else", async () => {
    const clock = new ManualClock();
    const fresh = createAccessGate({ store: own, admins, clock, mode: "approved" });
    const ann = is(human("ann"));
    const bob = is(human("bob"));
    await fresh.explain(ann);
    await setUserAccess(own.db, { tenant: human("ann"), enabled: true }, change);
    expect(await fresh.check(ann, chat)).toMatchObject({ allowed: true });
    await expect(fresh.check(bob, chat)).rejects.toMatchObject({ code: "access_denied" });

    await server.kill();
    const away = { name: "StoreError", reason: "unavailable" };
    await clock.advance(59_000);
    expect(await fresh.check(ann, chat)).toMatchObject({ allowed: true });
    await expect(fresh.check(ann, anew)).rejects.toMatchObject(away);
    await expect(fresh.check(bob, chat)).rejects.toMatchObject(away);
    // The same person with another address or group is another question.
    await expect(fresh.check({ ...ann, email: "ann@example.org" }, chat)).rejects.toMatchObject(away);
    await clock.advance(1_001);
    await expect(fresh.check(ann, chat)).rejects.toMatchObject(away);

    await server.restart();
    expect(await fresh.check(ann, chat)).toMatchObject({ allowed: true });
  });

  it("who was shut out just before is not remembered as let in", async () => {
    const clock = new ManualClock();
    const fresh = createAccessGate({ store: own, admins, clock, mode: "open" });
    const cat = is(human("cat"));
    await fresh.check(cat, chat);
    await setUserAccess(own.db, { tenant: human("cat"), enabled: false }, change);
    // Five seconds are what a chat may be behind; anything else never is.
    expect(await fresh.check(cat, chat)).toMatchObject({ allowed: true });
    await expect(fresh.check(cat, anew)).rejects.toMatchObject({ code: "access_denied" });
    await expect(fresh.check(cat, chat)).rejects.toMatchObject({ code: "access_denied" });
    await server.kill();
    await expect(fresh.check(cat, chat)).rejects.toMatchObject({ reason: "unavailable" });
  });
});
