import { describe, expect, it } from "vitest";
import type { ConfigMap } from "./resource.ts";
import { createStore } from "./store.ts";

function object(name: string, version: number, uid = `uid-${name}`, labels: Record<string, string> = {}): ConfigMap {
  const metadata = { name, namespace: "ns", uid, resourceVersion: String(version), labels };
  return { apiVersion: "v1", kind: "ConfigMap", metadata };
}

const summary = (changes: { type: string; object: ConfigMap; previous?: ConfigMap }[]) =>
  changes.map((change) => [change.type, change.object.metadata.uid, change.object.metadata.resourceVersion]);

describe("the store", () => {
  it("tells what a put changed, and nothing when it is what it has", () => {
    const store = createStore<ConfigMap>();
    const first = object("a", 1);
    expect(store.put(first)).toEqual([{ key: "ns/a", type: "added", object: first }]);
    expect(store.put(object("a", 1))).toEqual([]);
    const second = object("a", 2);
    expect(store.put(second)).toEqual([{ key: "ns/a", type: "updated", object: second, previous: first }]);
  });

  it("takes a namesake with another uid for another object", () => {
    const store = createStore<ConfigMap>();
    store.put(object("a", 1, "old"));
    expect(summary(store.put(object("a", 5, "new")))).toEqual([
      ["deleted", "old", "1"],
      ["added", "new", "5"],
    ]);
    expect(summary(store.replace([object("a", 9, "newest")], "9"))).toEqual([
      ["deleted", "new", "5"],
      ["added", "newest", "9"],
    ]);
  });

  it("lets nothing older in or out once it holds our own newer write", () => {
    const store = createStore<ConfigMap>();
    store.put(object("a", 8, "old"));
    store.assume(object("a", 12, "new"));
    expect(store.put(object("a", 9, "old"))).toEqual([]);
    expect(store.remove(object("a", 11, "old"))).toEqual([]);
    expect(store.get("ns/a")?.metadata.uid).toBe("new");
    expect(summary(store.remove(object("a", 13, "new")))).toEqual([["deleted", "new", "13"]]);
  });

  it("compares versions as numbers", () => {
    const store = createStore<ConfigMap>();
    store.assume(object("a", 100));
    expect(store.put(object("a", 99))).toEqual([]);
  });

  it("replaces its content by a list: deletions carry the last state, our newer writes stay", () => {
    const store = createStore<ConfigMap>();
    const gone = object("gone", 1);
    for (const one of [gone, object("same", 2), object("changed", 3)]) store.put(one);
    store.assume(object("ours", 20));
    store.assume(object("changed", 21));
    const changes = store.replace([object("same", 2), object("changed", 10), object("fresh", 9)], "15");
    expect(changes[0]).toEqual({ key: "ns/gone", type: "deleted", object: gone, previous: gone });
    expect(summary(changes.slice(1))).toEqual([["added", "uid-fresh", "9"]]);
    expect(store.get("ns/ours")).toBeDefined();
    expect(store.get("ns/changed")?.metadata.resourceVersion).toBe("21");
    // Once a list is new enough to have shown them, an absent one is gone.
    expect(summary(store.replace([], "25")).map(([type]) => type)).toEqual(Array(4).fill("deleted"));
  });

  it("keeps nothing through a reset, and takes equal versions for other states", () => {
    const store = createStore<ConfigMap>();
    store.put(object("a", 5));
    store.assume(object("ours", 20));
    const other = { ...object("a", 5), data: { other: "state" } };
    expect(summary(store.replace([other], "5", { reset: true }))).toEqual([
      ["deleted", "uid-ours", "20"],
      ["updated", "uid-a", "5"],
    ]);
    expect(store.get("ns/a")).toEqual(other);
  });

  it("finds by index, through changes of the indexed value", () => {
    const store = createStore<ConfigMap>({ indexes: { app: (one) => one.metadata.labels?.app?.split(",") ?? [] } });
    store.put(object("a", 1, "a", { app: "x,y" }));
    store.put(object("b", 2, "b", { app: "y" }));
    const names = (value: string) => store.byIndex("app", value).map((one) => one.metadata.name);
    expect([names("x"), names("y"), names("z")]).toEqual([["a"], ["a", "b"], []]);
    store.put(object("a", 3, "a", { app: "z" }));
    store.remove(object("b", 4, "b"));
    expect([names("x"), names("y"), names("z")]).toEqual([[], [], ["a"]]);
    expect(() => store.byIndex("nope", "x")).toThrow('no index "nope"');
  });

  it("transforms each object on its way in, the last state too", () => {
    const store = createStore<ConfigMap>({
      transform: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata }),
    });
    store.put({ ...object("a", 1), data: { big: "x" } });
    expect(store.get("ns/a")).not.toHaveProperty("data");
    expect(store.remove({ ...object("a", 2), data: { big: "x" } })[0]?.object).not.toHaveProperty("data");
  });
});
