import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { type ApiOnCluster, startApiOnCluster } from "../testing/api-on-cluster.ts";
import { call } from "../testing/client.ts";
import type { Thread } from "../threads/threads.ts";

let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  const access = loadKubeAccess(inject("kubeconfig"));
  cluster = await createTestNamespace(access, "threads");
  api = await startApiOnCluster({ postgresPort: inject("postgresPort"), access, namespace: cluster.namespace });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const THREADS = "/api/threads";

async function send(user: string, method: string, path: string, body?: unknown) {
  const answer = await call(api.url, { method, path, user, ...(body === undefined ? {} : { body }) });
  return { status: answer.status, json: answer.json };
}

async function create(user: string, body: object = {}): Promise<Thread> {
  const { json } = await send(user, "POST", THREADS, body);
  return (json as { data: Thread }).data;
}

interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** Follows a list to its end; `between` runs after each page. */
async function follow<T>(user: string, path: string, between: () => Promise<unknown> = async () => undefined) {
  const seen: T[] = [];
  const sizes: number[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const { status, json } = await send(user, "GET", `${path}${query}`);
    expect([status, json]).toMatchObject([200, { ok: true }]);
    const page: Page<T> = (json as { data: Page<T> }).data;
    seen.push(...page.items);
    sizes.push(page.items.length);
    cursor = page.next_cursor;
    await between();
  }
  return { seen, sizes };
}

describe("a thread", () => {
  it("is made, read, renamed, archived and deleted", async () => {
    const made = await send("ann", "POST", THREADS);
    expect([made.status, made.json]).toMatchObject([
      200,
      { data: { title: "New Chat", kind: "chat", archived: false, message_count: 0, created_at: expect.any(Number) } },
    ]);
    const { id, ...rest } = (made.json as { data: Thread }).data;
    const path = `${THREADS}/${id}`;
    expect((await send("ann", "GET", path)).json).toMatchObject({ data: { id, ...rest } });
    expect((await send("ann", "PATCH", path, { title: "  Shopping  " })).json).toMatchObject({
      data: { title: "Shopping", archived: false, created_at: rest.created_at },
    });
    expect((await send("ann", "PATCH", path, { archived: true })).json).toMatchObject({
      data: { title: "Shopping", archived: true },
    });
    await send("ann", "POST", `${path}/messages`, { messages: [{ message_id: "m", role: "user", parts: [] }] });
    expect((await send("ann", "DELETE", path)).json).toMatchObject({ data: { deleted: true } });
    for (const [method, of] of [
      ["GET", path],
      ["DELETE", path],
      ["GET", `${path}/messages`],
    ] as const) {
      expect(await send("ann", method, of)).toMatchObject({ status: 404, json: { code: "thread_not_found" } });
    }
    const left = await api.store.db.selectFrom("thread_messages").selectAll().where("thread_id", "=", id).execute();
    expect(left).toEqual([]);
  });

  it("is its tenant's alone: to others it is as if there were none", async () => {
    const { id } = await create("bea", { title: "secret" });
    const message = { message_id: "m1", role: "user", parts: [{ type: "text", text: "mine" }] };
    await send("bea", "POST", `${THREADS}/${id}/messages`, { messages: [message] });
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PATCH", "", { title: "stolen" }],
      ["DELETE", "", undefined],
      ["GET", "/messages", undefined],
      ["POST", "/messages", { messages: [{ ...message, message_id: "m2" }] }],
    ] as const) {
      const of = (name: string) => send("mallory", method, `${THREADS}/${name}${path}`, body);
      const [others, none] = [await of(id), await of("00000000-0000-4000-8000-000000000000")];
      expect(others).toMatchObject({ status: 404, json: { code: "thread_not_found" } });
      expect(without(others.json)).toEqual(without(none.json));
    }
    expect((await send("mallory", "GET", THREADS)).json).toMatchObject({ data: { items: [] } });
    expect((await send("bea", "GET", `${THREADS}/${id}`)).json).toMatchObject({
      data: { title: "secret", message_count: 1 },
    });
  });

  const without = (json: unknown) => ({ ...(json as object), requestId: undefined });

  it.each<[string, string, unknown, string]>([
    ["POST", "", { title: "" }, "title"],
    ["POST", "", { title: "   " }, "title"],
    ["POST", "", { title: "x".repeat(201) }, "title"],
    ["POST", "", { title: "a\u0000b" }, "title"],
    ["POST", "", { title: "\ud83d" }, "title"],
    ["POST", "", { kind: "other" }, "kind"],
    ["POST", "", { owner: "x" }, "owner"],
    ["PATCH", "/00000000-0000-4000-8000-000000000000", {}, "expected title, archived or both"],
    ["PATCH", "/00000000-0000-4000-8000-000000000000", { archived: "yes" }, "archived"],
    ["GET", "/not-an-id", undefined, "id"],
    ["GET", "?archived=perhaps", undefined, "archived"],
    ["GET", "?kind=x", undefined, "kind"],
    ["GET", "?limit=101", undefined, "limit"],
    ["GET", "?cursor=e30", undefined, "cursor"],
  ])("%s %s with %j is refused by name", async (method, path, body, name) => {
    const { status, json } = await send("ann", method, THREADS + path, body);
    expect([status, json]).toMatchObject([400, { code: "invalid_request", error: expect.stringContaining(name) }]);
  });

  it("is one too many after 10,000 of one tenant", async () => {
    await sql`
      insert into threads (tenant_key, title, kind)
      select 'human:hoarder', 'x', 'chat' from generate_series(1, 9999)`.execute(api.database.owner);
    expect((await create("hoarder")).id).toBeTypeOf("string");
    expect(await send("hoarder", "POST", THREADS)).toMatchObject({ status: 409, json: { code: "too_many_threads" } });
  });
});

describe("the list of threads", () => {
  it("is read page by page while threads are made and renamed, each once, the newest first", async () => {
    const made: string[] = [];
    for (let n = 0; n < 11; n++) made.unshift((await create("cat", { title: `thread ${n}` })).id);
    const { seen, sizes } = await follow<Thread>("cat", `${THREADS}?limit=3`, async () => {
      await create("cat");
      await send("cat", "PATCH", `${THREADS}/${made[10]}`, { title: "renamed meanwhile" });
    });
    expect(seen.map(({ id }) => id)).toEqual(made);
    expect(sizes).toEqual([3, 3, 3, 2]);
  });

  it("keeps those apart that are of one moment", async () => {
    await sql`
      insert into threads (tenant_key, title, kind, created_at)
      select 'human:quick', 'x', 'chat', '2026-01-01T00:00:00.123Z' from generate_series(1, 20)`.execute(
      api.database.owner,
    );
    const { seen } = await follow<Thread>("quick", `${THREADS}?limit=7`);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(20);
    expect(seen).toHaveLength(20);
  });

  it("is of one kind, or of those that are archived, where asked", async () => {
    const chat = await create("dan");
    const project = await create("dan", { kind: "project" });
    await send("dan", "PATCH", `${THREADS}/${chat.id}`, { archived: true });
    const ids = async (query: string) =>
      (await follow<Thread>("dan", `${THREADS}?limit=10${query}`)).seen.map(({ id }) => id);
    expect(await ids("")).toEqual([project.id, chat.id]);
    expect(await ids("&archived=true")).toEqual([chat.id]);
    expect(await ids("&archived=false")).toEqual([project.id]);
    expect(await ids("&kind=project")).toEqual([project.id]);
    expect(await ids("&kind=openclaw")).toEqual([]);
  });
});
