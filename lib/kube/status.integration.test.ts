import { randomBytes } from "node:crypto";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { type FaultProxy, startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { createTestKind, type TestKind, type Thing } from "#test/harness/test-kind.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { createKubeClient, type KubeClient } from "./client.ts";
import { loadKubeAccess } from "./config.ts";
import { isConflict } from "./errors.ts";
import { patchStatusIfChanged } from "./status.ts";
import type { ResourceType } from "./types.ts";

const log = pino({ level: "silent" });

describe("custom resources on a real apiserver", () => {
  let cluster: TestNamespace;
  let kind: TestKind;
  let things: ResourceType<Thing>;
  let proxy: FaultProxy;
  let client: KubeClient;

  beforeAll(async () => {
    cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "status");
    kind = await createTestKind(cluster.client);
    things = kind.type;
  });
  afterAll(async () => {
    await kind[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(inject("kubeconfig"));
    client = createKubeClient({ config: proxy.access, userAgent: "hatchery-test", log });
  });
  afterEach(async () => {
    await client.close();
    await proxy.close();
  });

  const thing = (spec: Record<string, unknown>): Thing => ({
    apiVersion: `${things.group}/v1`,
    kind: "Thing",
    metadata: { name: `o-${randomBytes(4).toString("hex")}`, namespace: cluster.namespace },
    spec,
  });

  it("keeps fields nobody of us knows, through a read, a change and a write", async () => {
    const future = { deep: { list: [{ unheardOf: 1 }], on: false } };
    const made = await client.create(things, thing({ known: "1", future }));
    made.spec = { ...made.spec, known: "2" };
    const replaced = await client.replace(things, made);
    expect(replaced.spec).toEqual({ known: "2", future });
    const { name, namespace } = made.metadata;
    const body = {
      apiVersion: made.apiVersion,
      kind: made.kind,
      metadata: { name, namespace: namespace ?? "" },
      spec: replaced.spec ?? {},
    };
    const applied = await client.apply(things, body, { fieldManager: "test" });
    expect(applied.spec).toEqual({ known: "2", future });
  });

  describe("patchStatusIfChanged", () => {
    it("writes the whole status with one request, and none when it is so already", async () => {
      const live = await client.create(things, thing({}));
      const next = { phase: "Pending", runtime: { slot: "a", podIP: "1.2.3.4" }, conditions: [{ type: "Ready" }] };
      const first = await patchStatusIfChanged(client, things, live, next, { fieldManager: "test" });
      expect(first).toMatchObject({ written: true, object: { status: next } });
      const seen = proxy.requests.length;
      const reordered = { conditions: [{ type: "Ready" }], runtime: { podIP: "1.2.3.4", slot: "a" }, phase: "Pending" };
      expect(await patchStatusIfChanged(client, things, first.object, reordered)).toMatchObject({ written: false });
      expect(proxy.requests).toHaveLength(seen);
      const less = { phase: "Ready", runtime: { slot: "a" } };
      const second = await patchStatusIfChanged(client, things, first.object, less);
      expect(second.object.status).toEqual(less);
      expect(second.object.metadata.generation).toBe(live.metadata.generation);
      expect(proxy.requests).toHaveLength(seen + 1);
    });

    it("writes over other people's changes of the rest, once it has read them", async () => {
      const stale = await client.create(things, thing({ a: "1" }));
      await cluster.client.mergePatch(things, stale.metadata, { spec: { a: "2" }, metadata: { labels: { x: "y" } } });
      const { object } = await patchStatusIfChanged(client, things, stale, { phase: "Ready" });
      expect(object).toMatchObject({ spec: { a: "2" }, status: { phase: "Ready" }, metadata: { labels: { x: "y" } } });
      expect(proxy.requests.map((request) => request.method)).toEqual(["POST", "PATCH", "GET", "PATCH"]);
    });

    it("does not write to a namesake", async () => {
      const old = await client.create(things, thing({}));
      await client.delete(things, old.metadata);
      const { name, namespace } = old.metadata;
      await client.create(things, { ...thing({}), metadata: { name, namespace: namespace ?? "" } });
      const outcome = await patchStatusIfChanged(client, things, old, { phase: "Ready" }).catch(
        (error: unknown) => error,
      );
      expect(isConflict(outcome)).toBe(true);
      expect(await client.get(things, old.metadata)).not.toHaveProperty("status");
    });
  });
});
