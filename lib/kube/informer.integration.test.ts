import { randomBytes } from "node:crypto";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { Fault, SeenRequest } from "#test/harness/fault-proxy/fault.ts";
import { startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { createKubeClient } from "./client.ts";
import { loadKubeAccess } from "./config.ts";
import { createInformer, type Informer } from "./informer.ts";
import { CONFIG_MAPS, type ConfigMap } from "./resource.ts";

const log = pino({ level: "silent" });

const isWatch = (request: SeenRequest) => request.isWatch;
const isList = (request: SeenRequest) => request.method === "GET" && !request.isWatch;
const answer = (status: number, reason: string, headers = {}): Fault => ({ kind: "answer", status, reason, headers });
const ADDED_TO_NOWHERE = { type: "ADDED", object: { metadata: { name: "x" } } };

/** Each with the number of times it strikes in a row. */
const LIST_FAULTS: [string, Fault, number][] = [
  ["a reset", { kind: "reset" }, 12],
  ["a lost answer", { kind: "lose-answer" }, 1],
  ["an answer cut in half", { kind: "cut", line: 1 }, 2],
  ["401", answer(401, "Unauthorized"), 3],
  ["403", answer(403, "Forbidden"), 1],
  ["429", answer(429, "TooManyRequests"), 1],
  ["429 with Retry-After", answer(429, "TooManyRequests", { "retry-after": "1" }), 2],
  ["410", answer(410, "Expired"), 1],
  ["500", answer(500, "InternalError"), 2],
  ["503", answer(503, "ServiceUnavailable"), 1],
  [
    "504 too large resource version",
    { kind: "answer", status: 504, body: '{"reason":"Timeout","message":"Too large resource version: 9, current: 1"}' },
    1,
  ],
  ["an answer of a proxy in between", { kind: "answer", status: 502, body: "<html>Bad Gateway</html>" }, 1],
  ["JSON that is no list", { kind: "answer", status: 200, body: '{"kind":"Status","metadata":{}}' }, 1],
  ["null", { kind: "answer", status: 200, body: "null" }, 1],
  ["an answer that is no JSON", { kind: "answer", status: 200, body: "<html>" }, 1],
];

const WATCH_FAULTS: [string, Fault, number][] = [
  ["a reset", { kind: "reset" }, 2],
  ["401", answer(401, "Unauthorized"), 3],
  ["403", answer(403, "Forbidden"), 1],
  ["429 with Retry-After", answer(429, "TooManyRequests", { "retry-after": "1" }), 1],
  ["410", answer(410, "Expired"), 1],
  ["500", answer(500, "InternalError"), 1],
  ["503", answer(503, "ServiceUnavailable"), 1],
  ["410 in the stream", { kind: "error-event", code: 410, reason: "Expired" }, 1],
  ["500 in the stream", { kind: "error-event", code: 500, reason: "InternalError" }, 1],
  ["504 in the stream", { kind: "error-event", code: 504, reason: "Timeout" }, 1],
  ["an event cut in half", { kind: "cut", line: 2 }, 1],
  ["a line that is no JSON", { kind: "script", chunks: ["<html>\n"] }, 1],
  ["half a line and a proper end", { kind: "script", chunks: [JSON.stringify(ADDED_TO_NOWHERE)] }, 1],
  ["an end at once", { kind: "script", chunks: [] }, 2],
];

describe("the informer on a real apiserver", () => {
  let cluster: TestNamespace;

  beforeAll(async () => {
    cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "informer");
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  /** An informer through a proxy of its own, of objects with a label of its own, which `write` and `remove` change directly. */
  async function setUp(o: { idleMs?: number } = {}) {
    const proxy = await startFaultProxy(inject("kubeconfig"));
    const registry = new Registry();
    const client = createKubeClient({ config: proxy.access, userAgent: "hatchery-test", log, registry });
    const test = `t${randomBytes(4).toString("hex")}`;
    const { namespace } = cluster;
    const selection = { namespace, labelSelector: `test=${test}` };
    const informer = createInformer({ client, type: CONFIG_MAPS, ...selection, log, registry, random: () => 0, ...o });
    const stop = new AbortController();
    return {
      proxy,
      registry,
      informer,
      stop,
      write: (name: string, value = "1") =>
        cluster.client.apply(CONFIG_MAPS, configMap(`${test}-${name}`, value, test), { fieldManager: "test" }),
      remove: (name: string) => cluster.client.delete(CONFIG_MAPS, { name: `${test}-${name}`, namespace }),
      /** Writes one more object, waits until the informer has it, and compares all it has with the server. */
      async expectConverged() {
        const fresh = configMap(`${test}-last`, randomBytes(4).toString("hex"), test);
        const last = await cluster.client.apply(CONFIG_MAPS, fresh, { fieldManager: "test" });
        await shown(informer, last);
        const { items } = await cluster.client.list(CONFIG_MAPS, selection);
        expect(versions(informer.list())).toEqual(versions(items));
      },
      async [Symbol.asyncDispose]() {
        stop.abort();
        await client.close();
        await proxy.close();
      },
    };
  }

  const configMap = (name: string, value: string, test: string): ConfigMap => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: cluster.namespace, labels: { test } },
    data: { value },
  });

  it.concurrent.each(LIST_FAULTS)("survives %s of its list", async (_name, fault, times) => {
    await using t = await setUp();
    await t.write("a");
    const injection = t.proxy.inject(fault, { times, match: isList });
    const running = t.informer.run(t.stop.signal);
    await t.informer.synced();
    expect(injection.hits).toBe(times);
    await t.expectConverged();
    t.stop.abort();
    await running;
  });

  it.concurrent.each(WATCH_FAULTS)("survives %s of its watch", async (_name, fault, times) => {
    await using t = await setUp();
    await t.write("changed");
    await t.write("removed");
    const running = t.informer.run(t.stop.signal);
    await t.informer.synced();
    const injection = t.proxy.inject(fault, { times, match: isWatch });
    t.proxy.resetConnections();
    await t.write("changed", "2");
    await t.remove("removed");
    await t.write("added");
    await injection.hit(times);
    await t.expectConverged();
    t.stop.abort();
    await running;
  });

  it.concurrent("goes on from its place after a broken watch: one list in all", async () => {
    await using t = await setUp();
    const running = t.informer.run(t.stop.signal);
    await t.informer.synced();
    for (const value of ["1", "2", "3"]) {
      await t.write("a", value);
      await t.expectConverged();
      t.proxy.resetConnections();
    }
    await t.expectConverged();
    expect(t.proxy.requests.filter(isList)).toHaveLength(1);
    t.stop.abort();
    await running;
  });

  it.concurrent("gives up a watch whose peer went silent, and dials anew", async () => {
    await using t = await setUp({ idleMs: 500 });
    const running = t.informer.run(t.stop.signal);
    await t.informer.synced();
    await t.expectConverged();
    t.proxy.freezeConnections();
    await t.write("unheard");
    await t.expectConverged();
    t.stop.abort();
    await running;
  });

  it.concurrent("tells nothing twice when events come late and our own write was there before them", async () => {
    await using t = await setUp();
    const running = t.informer.run(t.stop.signal);
    await t.informer.synced();
    await t.expectConverged();
    const release = t.proxy.holdWatches();
    const changes: string[] = [];
    t.informer.onChange(({ type, object }) => changes.push(`${type} ${object.data?.value}`));
    await t.write("a", "1");
    t.informer.assume(await t.write("a", "2"));
    expect(t.informer.list().map((one) => one.data?.value)).toContain("2");
    release();
    await t.write("z", "end");
    await t.expectConverged();
    expect(changes.filter((change) => / (1|2|end)$/.test(change))).toEqual(["added 2", "added end"]);
    t.stop.abort();
    await running;
  });

  it.concurrent("asks for bookmarks and a random end, and drops managedFields", async () => {
    await using t = await setUp();
    await t.write("a");
    const running = t.informer.run(t.stop.signal);
    await t.informer.synced();
    await t.expectConverged();
    const watch = t.proxy.requests.find(isWatch)?.path ?? "";
    expect(Object.fromEntries(new URLSearchParams(watch.split("?")[1]))).toMatchObject({
      allowWatchBookmarks: "true",
      timeoutSeconds: "300",
    });
    expect(t.proxy.requests.find(isList)?.path).toContain("limit=50");
    for (const one of t.informer.list()) expect(one.metadata).not.toHaveProperty("managedFields");
    t.stop.abort();
    await running;
  });

  it.concurrent("stopped while the server fails leaves no request and no connection", async () => {
    await using t = await setUp();
    const injection = t.proxy.inject(answer(500, "InternalError"));
    const running = t.informer.run(t.stop.signal);
    await injection.hit();
    t.stop.abort();
    await running;
    const seen = t.proxy.requests.length;
    injection.remove();
    await t.write("a");
    expect(t.informer.list()).toEqual([]);
    expect(t.proxy.requests).toHaveLength(seen);
  });

  it.concurrent("stopped in the middle of a watch ends at once", async () => {
    await using t = await setUp();
    const running = t.informer.run(t.stop.signal);
    await t.informer.synced();
    await t.expectConverged();
    t.stop.abort();
    await running;
  });
});

function versions(objects: ConfigMap[]): string[] {
  return objects.map(({ metadata: { name, uid, resourceVersion } }) => `${name} ${uid} ${resourceVersion}`).sort();
}

/** Resolves once the informer shows this state of an object. */
function shown(informer: Informer<ConfigMap>, { metadata }: ConfigMap): Promise<void> {
  const key = `${metadata.namespace}/${metadata.name}`;
  const isThere = () => informer.get(key)?.metadata.resourceVersion === metadata.resourceVersion;
  if (isThere()) return Promise.resolve();
  return new Promise((resolve) => {
    const stop = informer.onChange(() => {
      if (!isThere()) return;
      stop();
      resolve();
    });
  });
}
