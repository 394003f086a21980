import { describe, expect, it } from "vitest";
import type { KubeClient } from "#lib/kube/client.ts";
import { CONFIG_MAPS } from "#lib/kube/resource.ts";
import { createMortalClient } from "./mortal-client.ts";

const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m", namespace: "n" } };

/** A client that takes note of what reaches the apiserver. */
function recorder() {
  const heard: string[] = [];
  const call = (name: string) => () => {
    heard.push(name);
    return Promise.resolve(map);
  };
  const names = ["get", "list", "create", "replace", "apply", "mergePatch", "delete"];
  const client = Object.fromEntries(names.map((name) => [name, call(name)]));
  async function* watch() {
    yield await Promise.resolve({ type: "ADDED", object: map });
    yield await Promise.resolve({ type: "MODIFIED", object: map });
  }
  return { heard, client: { ...client, watch } as unknown as KubeClient };
}

describe("a process that dies at a write", () => {
  it.each([
    ["before", ["get", "apply"]],
    ["after", ["get", "apply", "mergePatch"]],
  ] as const)("%s the apiserver heard of it is heard of no more", async (death, expected) => {
    const { heard, client: living } = recorder();
    const mortal = createMortalClient(living);
    const { client } = mortal;
    mortal.arm(death, 2);
    await client.get(CONFIG_MAPS, map.metadata);
    await client.apply(CONFIG_MAPS, map, { fieldManager: "m" });
    const events = client.watch(CONFIG_MAPS, { resourceVersion: "1", signal: new AbortController().signal });
    const iterator = events[Symbol.asyncIterator]();
    await iterator.next();
    await expect(client.mergePatch(CONFIG_MAPS, map.metadata, {})).rejects.toThrow("dead");
    await mortal.died;
    await expect(client.delete(CONFIG_MAPS, map.metadata)).rejects.toThrow("dead");
    await expect(client.list(CONFIG_MAPS)).rejects.toThrow("dead");
    await expect(iterator.next()).rejects.toThrow("dead");
    expect(heard).toEqual(expected);
  });

  it("may die without a write", async () => {
    const mortal = createMortalClient(recorder().client);
    mortal.arm("before", 0);
    await mortal.died;
    await expect(mortal.client.get(CONFIG_MAPS, map.metadata)).rejects.toThrow("dead");
  });

  it("lives as long as it writes less", async () => {
    const mortal = createMortalClient(recorder().client);
    await mortal.client.create(CONFIG_MAPS, map);
    mortal.arm("before", 2);
    await mortal.client.create(CONFIG_MAPS, map);
    await mortal.client.get(CONFIG_MAPS, map.metadata);
    expect(mortal.writes).toBe(1);
  });
});
