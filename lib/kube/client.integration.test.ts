import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { parse } from "yaml";
import type { SeenRequest } from "#test/harness/fault-proxy/fault.ts";
import { type FaultProxy, startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { createKubeClient, type KubeClient } from "./client.ts";
import { type KubeAccess, loadKubeAccess } from "./config.ts";
import { isAlreadyExists, isConflict, isInvalid, isNotFound, isTooLargeResourceVersion, KubeError } from "./errors.ts";
import { CONFIG_MAPS, type ConfigMap, NETWORK_POLICIES } from "./resource.ts";

const log = pino({ level: "silent" });
const writes = (request: SeenRequest) => request.method !== "GET";
const caught = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as KubeError,
  );

describe("the client on a real apiserver", () => {
  let proxy: FaultProxy;
  let cluster: TestNamespace;
  let client: KubeClient;
  let registry: Registry;
  const clients: KubeClient[] = [];

  beforeAll(async () => {
    cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "client");
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  beforeEach(async () => {
    proxy = await startFaultProxy(inject("kubeconfig"));
    registry = new Registry();
    client = connect(proxy.access, { registry });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((one) => one.close()));
    await proxy.close();
  });

  function connect(config: KubeAccess, o: { registry?: Registry; clock?: ManualClock } = {}): KubeClient {
    const made = createKubeClient({ config, userAgent: "hatchery-test", log, ...o });
    clients.push(made);
    return made;
  }

  function configMap(data: Record<string, string> = {}): ConfigMap {
    const name = `cm-${randomBytes(4).toString("hex")}`;
    return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: cluster.namespace }, data };
  }
  const ref = ({ metadata: { name } }: ConfigMap) => ({ name, namespace: cluster.namespace });

  it("makes 100 requests over two connections at most", async () => {
    const object = await client.create(CONFIG_MAPS, configMap());
    for (let i = 1; i < 100; i++) await client.get(CONFIG_MAPS, ref(object));
    // undici takes a second one when the first has not quite finished its answer.
    expect(proxy.connections).toBeLessThanOrEqual(2);
    const metrics = await registry.metrics();
    const { host } = new URL(proxy.url);
    expect(metrics).toContain(`rest_client_requests_total{code="200",method="GET",host="${host}"} 99`);
    expect(metrics).toContain(`rest_client_request_duration_seconds_count{verb="POST",host="${host}"} 1`);
  });

  it("asks again for a deletion by uid whose answer was lost, and never for one by name alone", async () => {
    const object = await client.create(CONFIG_MAPS, configMap());
    const lost = proxy.inject({ kind: "lose-answer" }, { match: writes, times: 2 });
    expect(await client.delete(CONFIG_MAPS, ref(object), { uid: object.metadata.uid })).toBe(false);
    lost.remove();
    const other = await client.create(CONFIG_MAPS, configMap());
    proxy.inject({ kind: "reset" }, { match: writes, times: 1 });
    expect(await caught(client.delete(CONFIG_MAPS, ref(other)))).toMatchObject({ status: 0 });
  });

  it("answers undefined, false and errors for what they are", async () => {
    const object = await client.create(CONFIG_MAPS, configMap({ a: "1" }));
    expect(await client.get(CONFIG_MAPS, { ...ref(object), name: "none" })).toBeUndefined();
    const { resourceVersion: _version, ...metadata } = object.metadata;
    expect(isAlreadyExists(await caught(client.create(CONFIG_MAPS, { ...object, metadata })))).toBe(true);
    const elsewhere = { ...object, metadata: { ...object.metadata, namespace: "no-such-namespace" } };
    expect(isNotFound(await caught(client.replace(CONFIG_MAPS, elsewhere)))).toBe(true);
    const invalid = await caught(client.create(CONFIG_MAPS, configMap({ "not a key": "1" })));
    expect(isInvalid(invalid)).toBe(true);
    expect(invalid?.message).toMatch(/POST \/api\/v1\/.*configmaps: 422 Invalid: .*not a key/);
    expect(isConflict(await caught(client.delete(CONFIG_MAPS, ref(object), { uid: "another" })))).toBe(true);
    expect(await client.delete(CONFIG_MAPS, ref(object), { uid: object.metadata.uid })).toBe(true);
    expect(await client.delete(CONFIG_MAPS, ref(object))).toBe(false);
  });

  it("leaves managedFields out of every answer", async () => {
    const made = await client.create(CONFIG_MAPS, configMap());
    const { namespace } = made.metadata;
    const { items } = await client.list(CONFIG_MAPS, { namespace });
    for (const object of [made, await client.get(CONFIG_MAPS, ref(made)), ...items])
      expect(object?.metadata).not.toHaveProperty("managedFields");
  });

  it("refuses to overwrite a newer state", async () => {
    const object = await client.create(CONFIG_MAPS, configMap({ a: "1" }));
    await client.replace(CONFIG_MAPS, { ...object, data: { a: "2" } });
    expect(isConflict(await caught(client.replace(CONFIG_MAPS, { ...object, data: { a: "3" } })))).toBe(true);
  });

  it("applies: owns its fields, removes what it no longer names, takes over only by force", async () => {
    const body = configMap({ a: "1", b: "1" });
    await client.apply(CONFIG_MAPS, body, { fieldManager: "one" });
    await client.mergePatch(CONFIG_MAPS, ref(body), { data: { foreign: "1" } }, { fieldManager: "two" });
    const less = await client.apply(CONFIG_MAPS, { ...body, data: { a: "1" } }, { fieldManager: "one" });
    expect(less.data).toEqual({ a: "1", foreign: "1" });
    const other = { ...body, data: { a: "2" } };
    expect(isConflict(await caught(client.apply(CONFIG_MAPS, other, { fieldManager: "three", force: false })))).toBe(
      true,
    );
    expect((await client.apply(CONFIG_MAPS, other, { fieldManager: "three" })).data?.a).toBe("2");
  });

  it("patches by operations: all or none, and against the version that was seen", async () => {
    const body = configMap({ a: "1" });
    const { metadata } = await client.create(CONFIG_MAPS, body);
    const seen = { op: "replace", path: "/metadata/resourceVersion", value: metadata.resourceVersion } as const;
    const copy = { op: "copy", from: "/data/a", path: "/data/b" } as const;
    const change = { op: "replace", path: "/data/a", value: "2" } as const;
    const missing = { op: "remove", path: "/data/none" } as const;
    const both = [seen, copy, change];
    expect(await caught(client.jsonPatch(CONFIG_MAPS, ref(body), [...both, missing]))).toBeDefined();
    expect((await client.jsonPatch(CONFIG_MAPS, ref(body), both)).data).toEqual({ a: "2", b: "1" });
    expect(isConflict(await caught(client.jsonPatch(CONFIG_MAPS, ref(body), both)))).toBe(true);
  });

  it("lists in pages, each object with its kind", async () => {
    const label = `pages-${randomBytes(4).toString("hex")}`;
    for (let i = 0; i < 5; i++) {
      const one = configMap();
      await client.create(CONFIG_MAPS, { ...one, metadata: { ...one.metadata, labels: { label } } });
    }
    const o = { namespace: cluster.namespace, labelSelector: `label=${label}`, limit: 2 };
    const first = await client.list(CONFIG_MAPS, o);
    const second = await client.list(CONFIG_MAPS, { ...o, continue: first.continue });
    const third = await client.list(CONFIG_MAPS, { ...o, continue: second.continue });
    expect([first, second, third].map((page) => page.items.length)).toEqual([2, 2, 1]);
    expect(third).not.toHaveProperty("continue");
    expect(first.items[0]).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
    const names = [first, second, third].flatMap((page) => page.items.map((one) => one.metadata.name));
    expect(new Set(names).size).toBe(5);
  });

  it("speaks the wire's names, where the generated models have others", async () => {
    const policy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "wire", namespace: cluster.namespace },
      spec: { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { a: "b" } } }] }] },
    };
    const made = await client.apply(NETWORK_POLICIES, policy, { fieldManager: "test" });
    expect(made.spec?.ingress?.[0]?.from).toEqual(policy.spec.ingress[0]?.from);
  });

  it("knows a resourceVersion from the future", async () => {
    const future = await caught(client.list(CONFIG_MAPS, { resourceVersion: "9999999999" }));
    expect(isTooLargeResourceVersion(future)).toBe(true);
  });

  it.each([429, 503])("waits out a %i with Retry-After, for a create too", async (status) => {
    const fault = proxy.inject(
      { kind: "answer", status, headers: { "retry-after": "1" } },
      { times: 1, match: writes },
    );
    const object = await client.create(CONFIG_MAPS, configMap());
    expect(object.metadata.uid).toBeDefined();
    expect(fault.hits).toBe(1);
    expect(await registry.metrics()).toMatch(new RegExp(`rest_client_request_retries_total{code="${status}".*} 1`));
  });

  it("passes on a 429 that does not say how long, and one that asks for longer than the call may take", async () => {
    const fault = proxy.inject({ kind: "answer", status: 429, reason: "TooManyRequests" });
    expect(await caught(client.list(CONFIG_MAPS))).toMatchObject({ status: 429, reason: "TooManyRequests" });
    fault.remove();
    proxy.inject({ kind: "answer", status: 429, headers: { "retry-after": "60" } });
    expect(await caught(client.list(CONFIG_MAPS))).toMatchObject({ status: 429, retryAfterMs: 60_000 });
  });

  it("reads again after a broken connection, and says so for a create, which it never doubles", async () => {
    const object = await client.create(CONFIG_MAPS, configMap());
    proxy.inject({ kind: "reset" }, { times: 2 });
    expect(await client.get(CONFIG_MAPS, ref(object))).toBeDefined();

    const body = configMap();
    const lost = proxy.inject({ kind: "lose-answer" }, { times: 1, match: writes });
    expect(await caught(client.create(CONFIG_MAPS, body))).toMatchObject({ status: 0, reason: "NetworkError" });
    expect(lost.hits).toBe(1);
    expect(proxy.requests.filter((request) => request.method === "POST")).toHaveLength(2);
    expect(await client.get(CONFIG_MAPS, ref(body))).toBeDefined();
  });

  it("repeats an apply whose answer was lost, and a create where the caller can tell", async () => {
    const lost = proxy.inject({ kind: "lose-answer" }, { times: 1, match: writes });
    const applied = await client.apply(CONFIG_MAPS, configMap({ a: "1" }), { fieldManager: "test" });
    expect([lost.hits, applied.data?.a]).toEqual([1, "1"]);
    proxy.inject({ kind: "lose-answer" }, { times: 1, match: writes });
    expect(isAlreadyExists(await caught(client.create(CONFIG_MAPS, configMap(), { retryUnanswered: true })))).toBe(
      true,
    );
  });

  it("gives up in time, or when told to", async () => {
    const clock = new ManualClock();
    const patient = connect(proxy.access, { clock });
    const silence = proxy.inject({ kind: "silence" });
    const list = caught(patient.list(CONFIG_MAPS));
    await silence.hit(1);
    await clock.advance(30_000);
    expect(await list).toMatchObject({ status: 0, reason: "ClientTimeout" });
    const stop = new AbortController();
    const stopped = caught(patient.list(CONFIG_MAPS, { signal: stop.signal }));
    await silence.hit(2);
    stop.abort(new Error("the reconcile was stopped"));
    expect(await stopped).toMatchObject({ message: "the reconcile was stopped" });
    expect(clock.pending).toBe(0);
  });

  it("dials anew after three time-outs in a row, however many dead connections it keeps", async () => {
    const clock = new ManualClock();
    const many = connect(proxy.access, { clock });
    const get = () => many.get(CONFIG_MAPS, { name: "x", namespace: cluster.namespace });
    const burst = () => Promise.all(Array.from({ length: 8 }, get));
    await burst();
    expect(proxy.connections).toBe(8);
    proxy.freezeConnections();
    const seen = proxy.requests.length;
    const outcomes = Array.from({ length: 3 }, () => caught(get()));
    while (proxy.requests.length < seen + 3) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(30_000);
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ reason: "ClientTimeout" });
    // Five of the dead connections are still untried.
    expect(await burst()).toEqual(Array(8).fill(undefined));
  });

  it("reads its token anew when the old one is refused", async () => {
    const { clusters, users } = parse(await readFile(inject("kubeconfig"), "utf8"));
    const dir = await mkdtemp(join(tmpdir(), "token-"));
    const [tokenFile, path] = [join(dir, "token"), join(dir, "config")];
    const contexts = [{ name: "x", context: { cluster: clusters[0].name, user: "u" } }];
    const user = { name: "u", user: { tokenFile } };
    await writeFile(path, JSON.stringify({ clusters, users: [user], contexts, "current-context": "x" }));
    await writeFile(tokenFile, "of-no-use");
    const holder = connect(loadKubeAccess(path));
    expect(await caught(holder.list(CONFIG_MAPS))).toMatchObject({ status: 401, reason: "Unauthorized" });
    await writeFile(tokenFile, users[0].user.token);
    expect((await holder.list(CONFIG_MAPS)).items).toBeInstanceOf(Array);
    await writeFile(tokenFile, "unread");
    expect((await holder.list(CONFIG_MAPS)).items).toBeInstanceOf(Array);
  });

  it("says which answer was no JSON", async () => {
    proxy.inject({ kind: "answer", status: 200, body: "<html>" }, { times: 1 });
    expect(await caught(client.list(CONFIG_MAPS))).toMatchObject({
      reason: "MalformedResponse",
      message: "GET /api/v1/configmaps: the answer is not JSON",
    });
    proxy.inject({ kind: "answer", status: 502, body: "<html>" }, { times: 1 });
    expect(await caught(client.list(CONFIG_MAPS))).toMatchObject({ status: 502, reason: "HTTP502" });
  });

  it("fails what is in flight when it is closed", async () => {
    const silence = proxy.inject({ kind: "silence" });
    const list = caught(client.create(CONFIG_MAPS, configMap()));
    await silence.hit();
    await client.close();
    expect(await list).toBeInstanceOf(KubeError);
  });
});
