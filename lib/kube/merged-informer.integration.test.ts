import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { createLogger } from "#lib/log.ts";
import { createKubeClient, type KubeClient } from "./client.ts";
import { loadKubeAccess } from "./config.ts";
import { createInformer, type Informer } from "./informer.ts";
import { mergeInformers } from "./merged-informer.ts";
import { CONFIG_MAPS, type ConfigMap, NAMESPACES } from "./resource.ts";

const log = createLogger("test", "silent");
const names = ["a", "b", "c"].map((name) => `${name}-${randomUUID().slice(0, 8)}`);
const [a = "", b = "", elsewhere = ""] = names;
let client: KubeClient;
let stop: AbortController;
let running: Promise<void>;
let merged: Informer<ConfigMap>;

beforeAll(async () => {
  client = createKubeClient({ config: loadKubeAccess(inject("kubeconfig")), userAgent: "test", log });
  for (const name of names) {
    await client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
});
afterAll(() => client.close());

beforeEach(async () => {
  stop = new AbortController();
  const part = (namespace: string) =>
    [
      namespace,
      createInformer({
        client,
        type: CONFIG_MAPS,
        namespace,
        labelSelector: "of=test",
        indexes: { color: ({ data }) => [data?.color ?? ""] },
        log,
      }),
    ] as const;
  merged = mergeInformers(CONFIG_MAPS, new Map([part(a), part(b)]));
  running = merged.run(stop.signal);
  await merged.synced();
});
afterEach(async () => {
  stop.abort();
  await running;
});

function make(namespace: string, name: string, color: string): Promise<ConfigMap> {
  const metadata = { namespace, name, labels: { of: "test" } };
  return client.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { color } });
}

/** The keys that are told of, until there are `count`. */
function told(count: number): Promise<string[]> {
  const keys: string[] = [];
  return new Promise((resolve) => {
    const end = merged.onChange(({ key }) => {
      keys.push(key);
      if (keys.length < count) return;
      end();
      resolve(keys);
    });
  });
}

describe("informers of several namespaces, merged", () => {
  it("are one cache of what is in these and in no other", async () => {
    const changes = told(2);
    await make(elsewhere, "one", "red");
    await make(a, "one", "red");
    await make(b, "one", "red");
    expect((await changes).sort()).toEqual([`${a}/one`, `${b}/one`]);
    expect(merged.get(`${a}/one`)?.metadata.namespace).toBe(a);
    expect(merged.get(`${elsewhere}/one`)).toBeUndefined();
    expect(merged.list()).toHaveLength(2);
    expect(merged.byIndex("color", "red")).toHaveLength(2);
    expect(merged.hasSynced).toBe(true);
    expect(merged.copies.map(({ name }) => name)).toEqual([`configmaps in ${a}`, `configmaps in ${b}`]);
    expect(merged.lastSyncAgeMs()).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  it("take our own writes where they belong, and nothing of other namespaces", async () => {
    const own = await make(b, "two", "blue");
    merged.assume(own);
    expect(merged.get(`${b}/two`)?.data).toEqual({ color: "blue" });
    expect(() => merged.assume({ ...own, metadata: { ...own.metadata, namespace: elsewhere } })).toThrow(elsewhere);
  });

  it("fail as one: a handler that throws ends them all", async () => {
    const failing = mergeInformers(
      CONFIG_MAPS,
      new Map([a, b].map((namespace) => [namespace, createInformer({ client, type: CONFIG_MAPS, namespace, log })])),
    );
    failing.onChange(({ key }) => {
      if (key.startsWith(`${b}/`)) throw new Error("no good");
    });
    await expect(failing.run(stop.signal)).rejects.toThrow("no good");
  });
});
