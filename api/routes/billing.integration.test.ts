import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { post } from "../ledger/ledger.fixture.ts";
import { ADMIN, type ApiOnCluster, startApiOnCluster } from "../testing/api-on-cluster.ts";
import { call } from "../testing/client.ts";

let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  const access = loadKubeAccess(inject("kubeconfig"));
  cluster = await createTestNamespace(access, "billing");
  api = await startApiOnCluster({ postgresPort: inject("postgresPort"), access, namespace: cluster.namespace });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const CREDITS = "/api/admin/credits";
const grant = (body: unknown, user = ADMIN) => call(api.url, { method: "POST", path: CREDITS, user, body });
const summary = async (user: string) => (await call(api.url, { path: "/api/openclaw/billing/summary", user })).json;
const ledger = (user: string, query = "") => call(api.url, { path: `/api/openclaw/billing/ledger${query}`, user });
const credits = (user_id: string, amount_usd: unknown, idempotency_key: string, more = {}) => ({
  user_id,
  amount_usd,
  idempotency_key,
  ...more,
});

describe("credits", () => {
  it("are none for somebody who was given none", async () => {
    expect(await summary("nobody")).toMatchObject({
      data: { user_id: "nobody", balance_usd: 0, balance_micro_usd: "0" },
    });
    expect((await ledger("nobody")).json).toMatchObject({ data: { items: [], next_cursor: null } });
  });

  it("are given by an admin, to the millionth of a dollar, and taken back", async () => {
    const given = await grant(credits("ann", "12.345678", "ann-1", { meta: { why: "welcome" } }));
    expect([given.status, given.json]).toMatchObject([
      200,
      { data: { created: true, tenant_id: "human:ann", entry: { id: "1", kind: "grant", amount_usd: 12.345678 } } },
    ]);
    expect((await grant(credits("ann", -2.3, "ann-2"))).json).toMatchObject({
      data: { entry: { kind: "adjustment" } },
    });
    expect(await summary("ann")).toMatchObject({ data: { balance_usd: 10.045678, balance_micro_usd: "10045678" } });
    expect((await ledger("ann")).json).toMatchObject({
      data: {
        items: [
          { id: "2", kind: "adjustment", amount_usd: -2.3, balance_after_usd: 10.045678, meta: {} },
          { id: "1", kind: "grant", amount_usd: 12.345678, balance_after_usd: 12.345678, meta: { why: "welcome" } },
        ],
        next_cursor: null,
      },
    });
  });

  it("are given once for a key, and audited once with who gave them", async () => {
    const first = await grant(credits("bea", 5, "bea-1"));
    const again = await grant(credits("bea", "5.00", "bea-1"));
    expect(again.json).toMatchObject({ data: { created: false } });
    expect((again.json as { data: { entry: object } }).data.entry).toEqual(
      (first.json as { data: { entry: object } }).data.entry,
    );
    const other = await grant(credits("bea", 6, "bea-1"));
    expect([other.status, other.json]).toMatchObject([409, { code: "idempotency_conflict" }]);
    expect((await grant(credits("cleo", 5, "bea-1"))).status).toBe(409);
    expect(await summary("bea")).toMatchObject({ data: { balance_usd: 5 } });
    const events = await api.store.db
      .selectFrom("audit_events")
      .selectAll()
      .where("object", "=", "human:bea")
      .execute();
    expect(events).toMatchObject([
      {
        actor: `human:${ADMIN}`,
        scheme: "internal-key",
        action: "credits.grant",
        detail: { entry: "1", amount_micro_usd: "5000000", idempotency_key: "admin:bea-1" },
      },
    ]);
  });

  it("of an agent are its own, not those of a human of the same id", async () => {
    expect((await grant(credits("agent:zed", 3, "zed-agent"))).json).toMatchObject({
      data: { tenant_id: "agent:zed" },
    });
    expect(await summary("zed")).toMatchObject({ data: { balance_usd: 0 } });
    const [account] = await api.store.db
      .selectFrom("ledger_accounts")
      .selectAll()
      .where("account", "=", "agent:zed")
      .execute();
    expect(account?.balance_micro_usd).toBe(3_000_000n);
  });

  it("may fall below nothing by what is used", async () => {
    await post(api.store.db, { account: "human:dan", kind: "burn", amountMicroUsd: -1n });
    expect(await summary("dan")).toMatchObject({ data: { balance_usd: -0.000001, balance_micro_usd: "-1" } });
  });

  it("are for admins to give", async () => {
    const { status, json } = await grant(credits("ann", 5, "own"), "ann");
    expect([status, json]).toMatchObject([403, { code: "admin_required" }]);
    expect((await grant(credits("ann", 5, "own"))).json).toMatchObject({ data: { created: true } });
  });

  it.each<[object, string]>([
    [{}, "user_id"],
    [credits("", 1, "k"), "user_id"],
    [credits("a b", 1, "k"), "user_id"],
    [credits("ann", 0.1 + 0.2, "k"), "amount_usd"],
    [credits("ann", "1.0000001", "k"), "amount_usd"],
    [credits("ann", 0, "k"), "amount_usd"],
    [credits("ann", 1_000_001, "k"), "amount_usd"],
    [credits("ann", null, "k"), "amount_usd"],
    [credits("ann", 1, ""), "idempotency_key"],
    [credits("ann", 1, "a\u0000b"), "idempotency_key"],
    [credits("ann", 1, "k".repeat(201)), "idempotency_key"],
    [credits("ann", 1, "k", { meta: [] }), "meta"],
    [credits("ann", 1, "k", { meta: { a: "x".repeat(5000) } }), "meta"],
    [credits("ann", 1, "k", { meta: { a: ["\u0000"] } }), "meta"],
    [credits("ann", 1, "k", { meta: { "\ud800": 1 } }), "meta"],
    [credits("x".repeat(263), 1, "k"), "user_id"],
    [credits("ann", 1, "k", { amount: 1 }), "amount"],
  ])("refuse %j by name", async (body, name) => {
    const { status, json } = await grant(body);
    expect([status, json]).toMatchObject([400, { code: "invalid_request", error: expect.stringContaining(name) }]);
  });
});

describe("the ledger of one user", () => {
  it("is read page by page while it grows, each entry once", async () => {
    const account = "human:paul";
    for (let n = 0; n < 7; n++) await post(api.store.db, { account });
    const seen: string[] = [];
    let query = "?limit=3";
    for (;;) {
      const { data } = (await ledger("paul", query)).json as {
        data: { items: { id: string }[]; next_cursor: string | null };
      };
      seen.push(...data.items.map(({ id }) => id));
      await post(api.store.db, { account });
      if (data.next_cursor === null) break;
      query = `?limit=3&cursor=${data.next_cursor}`;
    }
    expect(seen).toEqual(["7", "6", "5", "4", "3", "2", "1"]);
  });

  it.each(["?limit=0", "?limit=101", "?cursor=x", "?cursor=e30"])("refuses %s by name", async (query) => {
    const { status, json } = await ledger("paul", query);
    expect([status, json]).toMatchObject([400, { error: expect.stringMatching(/limit|cursor/) }]);
  });
});
