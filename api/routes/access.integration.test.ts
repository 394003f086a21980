import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { ADMIN, type ApiOnCluster, startApiOnCluster } from "../testing/api-on-cluster.ts";
import { type ClientRequest, call } from "../testing/client.ts";
import { answerTo, dataOf } from "../testing/credentials.ts";

const ACCESS = "/api/access";
const WAITLIST = "/api/waitlist";
const PRINCIPAL = "/api/openclaw/principal";
let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  const access = loadKubeAccess(inject("kubeconfig"));
  cluster = await createTestNamespace(access, "access");
  const config = { accessMode: "approved", trustedProxies: ["127.0.0.1"] } as const;
  const where = { access, namespace: cluster.namespace, postgresPort: inject("postgresPort") };
  api = await startApiOnCluster({ ...where, config, clock: new ManualClock(Date.now()) });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const answer = (o: ClientRequest) => answerTo(api.url, o);
const mail = (email: string) => ({ "x-oa-user-email": email });
const join = (body: object, from = "203.0.113.1") =>
  call(api.url, { path: WAITLIST, user: null, body, headers: { "x-forwarded-for": from } });
const approve = (email: string, approved: boolean, user = ADMIN): ClientRequest => ({
  method: "PUT",
  path: `/api/admin/waitlist/${encodeURIComponent(email)}`,
  user,
  body: { approved },
});
const enable = (id: string, enabled: boolean, user = ADMIN): ClientRequest => ({
  method: "PUT",
  path: `/api/admin/users/${encodeURIComponent(id)}/access`,
  user,
  body: { enabled },
});
const events = (object: string) =>
  api.database.db.selectFrom("audit_events").selectAll().where("object", "=", object).orderBy("seq").execute();
const see = (user: string, headers = {}) => call(api.url, { path: ACCESS, user, headers });

describe("GET /api/access", () => {
  it("tells everybody with a credential how they stand", async () => {
    const headers = mail("ann@example.org");
    const nothing = {
      allowed: false,
      reason: "no_access",
      userAccess: null,
      waitlistApproved: false,
      user: { user_id: "ann", email: "ann@example.org" },
      waitlistEntry: null,
      isAdmin: false,
    };
    expect(await dataOf(api.url, { path: ACCESS, user: "ann", headers })).toEqual(nothing);
    expect(await answer({ path: PRINCIPAL, user: "ann", headers })).toBe("403 access_denied");
    await join({ email: " Ann@Example.org ", source: "landing-page" });
    const entry = { email: "ann@example.org", source: "landing-page", created_at: expect.any(Number) };
    const waiting = { ...entry, approved: false, approved_at: null };
    expect(await dataOf(api.url, { path: ACCESS, user: "ann", headers })).toEqual({
      ...nothing,
      waitlistEntry: waiting,
    });
    await call(api.url, approve("ann@example.org", true));
    const { reason: _none, ...rest } = nothing;
    expect(await dataOf(api.url, { path: ACCESS, user: "ann", headers })).toEqual({
      ...rest,
      allowed: true,
      waitlistApproved: true,
      waitlistEntry: { ...entry, approved: true, approved_at: expect.any(Number) },
    });
    expect(await answer({ path: PRINCIPAL, user: "ann" })).toBe("200");
    expect(await dataOf(api.url, { path: ACCESS, user: ADMIN })).toMatchObject({ allowed: true, isAdmin: true });
    expect(await answer({ path: ACCESS, user: null })).toBe("401 unauthorized");
  });
});

describe("the waitlist", () => {
  it("answers the same whatever was there before, and keeps that", async () => {
    const first = await join({ email: "bob@example.org", source: "first" });
    const again = await join({ email: "BOB@example.org", source: "second" });
    await call(api.url, approve("bob@example.org", true));
    const approved = await join({ email: "bob@example.org" });
    for (const { status, json, headers } of [first, again, approved]) {
      expect([status, json]).toEqual([
        200,
        { ok: true, data: { joined: true }, error: null, requestId: headers["x-request-id"] },
      ]);
    }
    const kept = await api.database.db
      .selectFrom("waitlist")
      .selectAll()
      .where("email", "=", "bob@example.org")
      .execute();
    expect(kept).toMatchObject([{ source: "first", approved: true, approved_by: `human:${ADMIN}` }]);
  });

  it.each<[unknown, string]>([
    [{}, "email: "],
    [{ email: "bob" }, "email: expected an e-mail address"],
    [{ email: ["a@b.org"] }, "email: "],
    [{ email: "a@b.org", source: "<script>" }, "source: "],
    [{ email: "a@b.org", approved: true }, '"approved"'],
  ])("takes no %j", async (body, text) => {
    const { status, json } = await join(body as object, "203.0.113.2");
    expect([status, json]).toMatchObject([400, { code: "invalid_request", error: expect.stringContaining(text) }]);
  });

  it("is joined by one address 30 times at once, and by others still", async () => {
    const answers = await Promise.all(
      Array.from({ length: 33 }, (_, n) => join({ email: `flood-${n}@example.org` }, "203.0.113.3")),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(30);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.headers["retry-after"]).toBe("2");
    expect(refused?.json).toMatchObject({ code: "rate_limited" });
    expect((await join({ email: "cat@example.org" }, "203.0.113.4")).status).toBe(200);
  });
});

describe("an admin", () => {
  it("lets a user in and shuts them out, once however often and by however many it is asked, and it is audited", async () => {
    await see("dan", mail("dan@example.org"));
    const headers = { "x-request-id": "let-dan-in" };
    const both = await Promise.all([
      call(api.url, { ...enable("dan", true), headers }),
      call(api.url, { ...enable("human:dan", true), headers }),
    ]);
    for (const { status, json } of both) {
      expect([status, json]).toMatchObject([
        200,
        {
          data: {
            tenant_id: "human:dan",
            email: "dan@example.org",
            access_enabled: true,
            access_updated_by: "human:root",
          },
        },
      ]);
    }
    expect(await answer({ path: PRINCIPAL, user: "dan" })).toBe("200");
    await call(api.url, enable("dan", false));
    expect(await answer({ path: PRINCIPAL, user: "dan" })).toBe("403 access_denied");
    const by = { actor: "human:root", scheme: "internal-key", action: "access.set", outcome: "succeeded" };
    expect(await events("human:dan")).toMatchObject([
      { ...by, request_id: "let-dan-in", detail: { enabled: true } },
      { ...by, detail: { enabled: false } },
    ]);
  });

  it("is told who was never seen, and does not shut themselves out", async () => {
    expect(await answer(enable("nobody", true))).toBe("404 user_not_found");
    expect(await answer(enable("agent:dan", true))).toBe("404 user_not_found");
    expect(await answer(enable("Dan", true))).toBe("404 user_not_found");
    expect(await answer(enable(ADMIN, false))).toBe("409 own_access");
    expect(await answer(enable(`human:${ADMIN}`, false))).toBe("409 own_access");
    expect(await answer({ ...enable("dan", true), body: { enabled: "yes" } })).toBe("400 invalid_request");
    expect(await answer({ path: PRINCIPAL, user: ADMIN })).toBe("200");
  });

  it("approves an address once, by however many it is asked", async () => {
    await join({ email: "eve@example.org" }, "203.0.113.5");
    const asked = Array.from({ length: 5 }, () => call(api.url, approve("Eve@example.org", true)));
    for (const { status, json } of await Promise.all(asked)) {
      expect([status, json]).toMatchObject([
        200,
        { data: { email: "eve@example.org", approved: true, approved_by: "human:root" } },
      ]);
    }
    expect(await events("waitlist:eve@example.org")).toMatchObject([
      { action: "waitlist.set", detail: { approved: true } },
    ]);
    const back = await dataOf(api.url, approve("eve@example.org", false));
    expect(back).toMatchObject({ approved: false, approved_at: null, approved_by: null });
    await call(api.url, approve("eve@example.org", false));
    expect(await events("waitlist:eve@example.org")).toHaveLength(2);
  });

  it("invites an address that never asked, and takes back no approval that never was", async () => {
    expect(await answer(approve("fay@example.org", false))).toBe("404 waitlist_entry_not_found");
    const asked = Array.from({ length: 5 }, () => call(api.url, approve("fay@example.org", true)));
    for (const { json } of await Promise.all(asked))
      expect(json).toMatchObject({ data: { source: "admin", approved: true } });
    expect(await events("waitlist:fay@example.org")).toHaveLength(1);
    expect(await answer({ path: PRINCIPAL, user: "fay", headers: mail("fay@example.org") })).toBe("200");
    expect(await answer(approve("not-an-address", true))).toBe("400 invalid_request");
  });

  it("is the only one who may", async () => {
    await see("gil");
    await call(api.url, enable("gil", true));
    for (const o of [enable("gil", true, "gil"), approve("gil@example.org", true, "gil")]) {
      expect(await answer(o)).toBe("403 admin_required");
    }
    for (const path of ["/api/admin/users", "/api/admin/waitlist", "/api/admin/instances"]) {
      expect(await answer({ path, user: "gil" })).toBe("403 admin_required");
      expect(await answer({ path, user: "stranger" })).toBe("403 access_denied");
    }
  });

  it("keeps nothing of a change that could not be audited", async () => {
    await see("hal");
    const trigger = "create function fail() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$";
    await sql.raw(trigger).execute(api.database.owner);
    await sql
      .raw("create trigger fail before insert on audit_events for each row execute function fail()")
      .execute(api.database.owner);
    try {
      expect(await answer(enable("hal", true))).toBe("500 internal");
      expect(await answer(approve("hal@example.org", true))).toBe("500 internal");
      expect(await answer({ path: "/api/tokens", user: ADMIN, body: { name: "t" } })).toBe("500 internal");
      expect(await answer({ path: "/api/agents", user: ADMIN, body: { name: "a" } })).toBe("500 internal");
    } finally {
      await sql.raw("drop trigger fail on audit_events").execute(api.database.owner);
    }
    expect(await dataOf(api.url, { path: ACCESS, user: "hal", headers: mail("hal@example.org") })).toMatchObject({
      userAccess: null,
      waitlistEntry: null,
    });
    expect(await dataOf(api.url, { path: "/api/tokens", user: ADMIN })).toMatchObject({ items: [] });
    expect(await dataOf(api.url, { path: "/api/agents", user: ADMIN })).toMatchObject({ items: [] });
  });
});

describe("lists", () => {
  async function walk<T>(path: string, limit: number): Promise<T[]> {
    const found: T[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: { items: T[]; next_cursor: string | null } = await dataOf(api.url, {
        path: `${path}?limit=${limit}${query}`,
        user: ADMIN,
      });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      found.push(...page.items);
      cursor = page.next_cursor;
    }
    return found;
  }

  it("of users and of the waitlist are walked page by page, newest first, also where many came at one time", async () => {
    const rows = Array.from({ length: 25 }, (_, n) => `u${String(n).padStart(2, "0")}`);
    // One statement has one time.
    await api.database.db
      .insertInto("users")
      .values(rows.map((id) => ({ tenant_key: `human:${id}`, kind: "human" as const, user_id: id })))
      .execute();
    await api.database.db
      .insertInto("waitlist")
      .values(rows.map((id) => ({ email: `${id}@example.com`, source: "test" })))
      .execute();
    const users = await walk<{ user_id: string; created_at: number }>("/api/admin/users", 4);
    const ids = users.map(({ user_id }) => user_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.slice(0, 25)).toEqual(rows.toReversed());
    expect(ids).toEqual(expect.arrayContaining([ADMIN, "ann", "dan"]));
    const times = users.map(({ created_at }) => created_at);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    const emails = (await walk<{ email: string }>("/api/admin/waitlist", 7)).map(({ email }) => email);
    expect(new Set(emails).size).toBe(emails.length);
    expect(emails.slice(0, 25)).toEqual(rows.toReversed().map((id) => `${id}@example.com`));
    expect(emails).toContain("fay@example.org");
    expect(await answer({ path: "/api/admin/users?limit=101", user: ADMIN })).toBe("400 invalid_request");
    expect(await answer({ path: "/api/admin/users?cursor=bm8", user: ADMIN })).toBe("400 invalid_request");
  });

  it("of instances are everybody's, with their owners", async () => {
    for (const user of ["ann", "fay", ADMIN]) {
      await dataOf(api.url, {
        method: "POST",
        path: "/api/openclaw/instance",
        user,
        headers: user === "fay" ? mail("fay@example.org") : {},
      });
    }
    const instances = await walk<{ tenant_id: string; name: string; status: string }>("/api/admin/instances", 2);
    expect(instances.map(({ tenant_id }) => tenant_id).sort()).toEqual(["human:ann", "human:fay", "human:root"]);
    expect(instances[0]).toMatchObject({
      name: expect.stringMatching(/^oc-/),
      class_name: "standard",
      status: "provisioning",
      created_at: expect.any(Number),
    });
    expect(await answer({ path: "/api/admin/instances?cursor=e30", user: ADMIN })).toBe("400 invalid_request");
  });
});
