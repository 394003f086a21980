import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { loadKubeAccess } from "./config.ts";
import { controllerOf, ownerReference } from "./owner.ts";
import { CONFIG_MAPS, type ConfigMap } from "./resource.ts";
import type { OwnerReference } from "./types.ts";

let cluster: TestNamespace;

beforeAll(async () => {
  cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "owner");
});

afterAll(() => cluster[Symbol.asyncDispose]());

function create(name: string, ...ownerReferences: OwnerReference[]): Promise<ConfigMap> {
  const metadata = { name, namespace: cluster.namespace, ownerReferences };
  return cluster.client.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata });
}

/** Waits until all these are gone and answers what went before them. */
async function deleted(names: string[], since: string): Promise<string[]> {
  const end = new AbortController();
  const gone: string[] = [];
  const { client, namespace } = cluster;
  for await (const event of client.watch(CONFIG_MAPS, { namespace, resourceVersion: since, signal: end.signal })) {
    if (event.type === "DELETED") gone.push(event.object.metadata.name);
    if (names.every((name) => gone.includes(name))) end.abort();
  }
  return gone;
}

it("lets the garbage collector take a child with its owner, by uid and not by name", async () => {
  const owner = await create("owner");
  const stays = await create("stays");
  const reference = ownerReference(owner, { controller: true });
  const child = await create("child", reference);
  expect(controllerOf(child)?.uid).toBe(reference.uid);
  await create("grandchild", ownerReference(child, { controller: true }));
  await create("shared", ownerReference(owner), ownerReference(stays));
  const { resourceVersion } = await cluster.client.list(CONFIG_MAPS, { namespace: cluster.namespace });

  // Somebody of the owner's name, but with another uid: to the collector the owner is gone.
  await create("orphan", { ...reference, uid: "00000000-0000-0000-0000-000000000000" });
  expect(await deleted(["orphan"], resourceVersion)).toEqual(["orphan"]);

  await cluster.client.delete(CONFIG_MAPS, { name: "owner", namespace: cluster.namespace });
  const gone = await deleted(["owner", "child", "grandchild"], resourceVersion);
  expect(gone).not.toContain("shared");
  const left = await cluster.client.get(CONFIG_MAPS, { name: "shared", namespace: cluster.namespace });
  expect(left?.metadata.name).toBe("shared");
});

it("keeps an owner that is deleted in the foreground until its child is gone", async () => {
  const owner = await create("slow-owner");
  const child = await create("slow-child", ownerReference(owner, { controller: true }));
  const { namespace, client } = cluster;
  await client.mergePatch(CONFIG_MAPS, child.metadata, { metadata: { finalizers: ["example.com/hold"] } });
  const { resourceVersion } = await client.list(CONFIG_MAPS, { namespace });
  await client.delete(CONFIG_MAPS, { name: "slow-owner", namespace }, { propagationPolicy: "Foreground" });
  const end = new AbortController();
  for await (const event of client.watch(CONFIG_MAPS, { namespace, resourceVersion, signal: end.signal })) {
    if (event.type === "BOOKMARK" || event.object.metadata.name !== "slow-child") continue;
    if (event.object.metadata.deletionTimestamp) break;
  }
  expect((await client.get(CONFIG_MAPS, { name: "slow-owner", namespace }))?.metadata.deletionTimestamp).toBeDefined();
  await client.mergePatch(CONFIG_MAPS, child.metadata, { metadata: { finalizers: null } });
  expect(await deleted(["slow-owner"], resourceVersion)).toEqual(["slow-child", "slow-owner"]);
});
