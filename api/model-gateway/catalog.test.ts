import { describe, expect, it } from "vitest";
import type { OpenClawClass } from "#crds/index.ts";
import { createClassCatalog } from "./catalog.ts";

function classOf(name: string, models: { name: string; provider: string; providerModel: string }[]): OpenClawClass {
  const spec = { models } as OpenClawClass["spec"];
  return { apiVersion: "hatchery.openagents.com/v1alpha1", kind: "OpenClawClass", metadata: { name }, spec };
}

const classes = new Map([
  ["standard", classOf("standard", [{ name: "default", provider: "main", providerModel: "gpt" }])],
  ["large", classOf("large", [{ name: "default", provider: "other", providerModel: "vendor/big" }])],
]);
const catalog = createClassCatalog({
  hasSynced: true,
  get: (name) => classes.get(name),
  list: () => [...classes.values()],
});

describe("the models of the classes", () => {
  it("are told apart by their class", () => {
    expect(catalog.find("standard/default")).toEqual({ provider: "main", providerModel: "gpt" });
    expect(catalog.find("large/default")).toEqual({ provider: "other", providerModel: "vendor/big" });
    expect(catalog.names()).toEqual(["large/default", "standard/default"]);
  });

  it.each([
    "default",
    "standard",
    "standard/",
    "/default",
    "small/default",
    "standard/default/x",
    "constructor/default",
  ])("don't include %j", (name) => {
    expect(catalog.find(name)).toBeUndefined();
  });
});
