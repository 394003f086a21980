import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import type { Tables } from "../store/tables.ts";
import { type ApiOnCluster, startApiOnCluster } from "../testing/api-on-cluster.ts";
import { call } from "../testing/client.ts";
import { openDatabase } from "../testing/database.fixture.ts";
import { appendMessages } from "../threads/messages.ts";

const USER = "ann";
const TENANT = `human:${USER}`;
let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  const access = loadKubeAccess(inject("kubeconfig"));
  cluster = await createTestNamespace(access, "messages");
  api = await startApiOnCluster({ postgresPort: inject("postgresPort"), access, namespace: cluster.namespace });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

interface Message {
  message_id: string;
  role: "user" | "assistant" | "system" | "tool";
  parts: Record<string, unknown>[];
}

interface Kept {
  message_id: string;
  order: number;
  created: boolean;
}

const say = (message_id: string, text = message_id): Message => ({
  message_id,
  role: "user",
  parts: [{ type: "text", text }],
});

/** A new thread; answers the path of its messages. */
async function newThread(): Promise<{ id: string; path: string }> {
  const { json } = await call(api.url, { method: "POST", path: "/api/threads", user: USER });
  const { id } = (json as { data: { id: string } }).data;
  return { id, path: `/api/threads/${id}/messages` };
}

const append = (path: string, messages: unknown) =>
  call(api.url, { method: "POST", path, user: USER, body: { messages } });
const kept = async (path: string, messages: unknown) =>
  ((await append(path, messages)).json as { data: { items: Kept[] } }).data.items;

interface Page {
  items: (Message & { order: number })[];
  next_cursor: string | null;
}

const read = async (path: string, query = "") =>
  ((await call(api.url, { path: path + query, user: USER })).json as { data: Page }).data;

describe("messages", () => {
  it("are kept in their order, behind those that are there, and given back as they were sent", async () => {
    const { path } = await newThread();
    const odd: Message = {
      message_id: "odd",
      role: "assistant",
      parts: [{ z: 1, a: "\u0000\ud83d😀", nested: { b: [1.5e300, null], "": {} } }, {}],
    };
    const first = await kept(path, [say("1"), odd]);
    expect(first).toMatchObject([
      { message_id: "1", order: 1, created: true },
      { message_id: "odd", order: 2, created: true },
    ]);
    await append(path, [say("3")]);
    const { items } = await read(path);
    expect(items.map(({ order, message_id }) => [order, message_id])).toEqual([
      [1, "1"],
      [2, "odd"],
      [3, "3"],
    ]);
    expect(items[1]).toMatchObject(odd);
    // Not only equal: the keys are in their order too.
    expect(JSON.stringify(items[1]?.parts)).toBe(JSON.stringify(odd.parts));
  });

  it("are kept once for an id, whatever the order of their keys; new ones of the same call are added", async () => {
    const { path } = await newThread();
    const [made] = await kept(path, [{ message_id: "x", role: "user", parts: [{ a: 1, b: { c: 2, d: 3 } }] }]);
    const again = await kept(path, [{ message_id: "x", role: "user", parts: [{ b: { d: 3, c: 2 }, a: 1 }] }, say("y")]);
    expect(again).toMatchObject([
      { ...made, created: false },
      { message_id: "y", order: 2, created: true },
    ]);
    expect((await read(path)).items).toHaveLength(2);
  });

  it.each([
    ["other parts", say("x", "other")],
    ["another role", { ...say("x"), role: "assistant" }],
  ])("with an id that is there and %s are refused, and what came with them", async (_name, changed) => {
    const { path } = await newThread();
    await append(path, [say("x")]);
    const { status, json } = await append(path, [say("new"), changed]);
    expect([status, json]).toMatchObject([
      409,
      { code: "idempotency_conflict", error: expect.stringContaining("message_id x") },
    ]);
    expect((await read(path)).items).toMatchObject([say("x")]);
  });

  it("of 50 writers at a time, each sent twice through two replicas, are all there once and in one order", async () => {
    const { id, path } = await newThread();
    const other = openDatabase<Tables>({ ...api.database.config, poolMax: 25 });
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, writer) => {
        const messages = [say(`${writer}-a`), say(`${writer}-b`)];
        const [one, two] = await Promise.all([kept(path, messages), appendMessages(other, TENANT, id, messages)]);
        const again = await kept(path, messages);
        expect(again.map(({ created }) => created)).toEqual([false, false]);
        expect(one.map(({ created }) => !created)).toEqual(two.map(({ created }) => created));
        return [one, two, again];
      }),
    );
    await other.destroy();
    const { items } = await read(path, "?limit=100");
    expect(items.map(({ order }) => order)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(new Set(items.map(({ message_id }) => message_id)).size).toBe(100);
    const orderOf = new Map(items.map(({ message_id, order }) => [message_id, order]));
    for (const { message_id, order } of answers.flat(2)) expect(order).toBe(orderOf.get(message_id));
    // The two of one call stay together.
    for (let writer = 0; writer < 50; writer++) {
      expect(orderOf.get(`${writer}-b`)).toBe((orderOf.get(`${writer}-a`) ?? 0) + 1);
    }
  });

  it.each(["asc", "desc"] as const)("are read page by page, %s, while others come, each once", async (order) => {
    const { path } = await newThread();
    await append(
      path,
      Array.from({ length: 10 }, (_, n) => say(`${n}`)),
    );
    const seen: string[] = [];
    let more = 0;
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Page = await read(path, `?limit=4&order=${order}${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...page.items.map(({ message_id }) => message_id));
      cursor = page.next_cursor;
      if (more++ < 2) await append(path, [say(`late-${more}`)]);
    }
    const early = Array.from({ length: 10 }, (_, n) => `${n}`);
    // Whoever reads forward meets the late ones too.
    expect(seen).toEqual(order === "asc" ? [...early, "late-1", "late-2"] : early.reverse());
  });

  it("that are long make short pages", async () => {
    const { path } = await newThread();
    const long = "x".repeat(256 * 1024 - 40);
    for (let n = 0; n < 20; n += 5) {
      await append(
        path,
        Array.from({ length: 5 }, (_, m) => say(`${n + m}`, long)),
      );
    }
    const first = await read(path, "?limit=100");
    expect(first.items).toHaveLength(16);
    const rest = await read(path, `?limit=100&cursor=${first.next_cursor}`);
    expect(rest.items.map(({ order }) => order)).toEqual([17, 18, 19, 20]);
    expect(rest.next_cursor).toBeNull();
  });

  it("are 10,000 at most in a thread", async () => {
    const { id, path } = await newThread();
    await append(path, [say("1")]);
    await api.database.owner.updateTable("threads").set({ message_count: 9_999 }).where("id", "=", id).execute();
    expect((await append(path, [say("2"), say("3")])).json).toMatchObject({ code: "thread_full" });
    expect((await append(path, [say("2")])).status).toBe(200);
    expect((await append(path, [say("3")])).status).toBe(409);
    // Those that are there are told of as ever.
    expect((await append(path, [say("1"), say("2")])).status).toBe(200);
  });

  it("are kept once when one call has them twice, unless the two differ", async () => {
    const { path } = await newThread();
    const twice = await append(path, [say("x"), say("y"), say("x")]);
    expect([twice.status, twice.json]).toMatchObject([
      200,
      { data: { items: [{ order: 1 }, { order: 2 }, { order: 1 }] } },
    ]);
    const differing = await append(path, [say("z"), say("z", "other words")]);
    expect([differing.status, differing.json]).toMatchObject([409, { code: "idempotency_conflict" }]);
    expect((await read(path)).items).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ["messages", undefined],
    ["messages", []],
    ["messages", Array.from({ length: 101 }, (_, n) => say(`${n}`))],
    ["message_id", [{ ...say("x"), message_id: "" }]],
    ["message_id", [{ ...say("x"), message_id: "a b" }]],
    ["message_id", [{ ...say("x"), message_id: "x".repeat(129) }]],
    ["role", [{ ...say("x"), role: "root" }]],
    ["parts", [{ ...say("x"), parts: "text" }]],
    ["parts", [{ ...say("x"), parts: ["text"] }]],
    ["parts", [say("x", "x".repeat(256 * 1024))]],
    ["order", [{ ...say("x"), order: 1 }]],
  ])("are refused by name: %s", async (name, messages) => {
    const { path } = await newThread();
    const { status, json } = await append(path, messages);
    expect([status, json]).toMatchObject([400, { code: "invalid_request", error: expect.stringContaining(name) }]);
    expect((await read(path)).items).toEqual([]);
  });

  it.each(["?order=up", "?limit=0", "?cursor=e30"])("are not read with %s", async (query) => {
    const { path } = await newThread();
    expect((await call(api.url, { path: path + query, user: USER })).status).toBe(400);
  });

  it("are not changed by the API's role, nor deleted but with their thread", async () => {
    for (const change of [
      api.store.db.updateTable("thread_messages").set({ content_hash: Buffer.alloc(32) } as never),
      api.store.db.deleteFrom("thread_messages"),
    ]) {
      await expect(change.execute()).rejects.toMatchObject({ reason: "forbidden" });
    }
  });
});
