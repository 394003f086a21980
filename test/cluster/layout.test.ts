import { afterEach, expect, it, vi } from "vitest";
import { clusterLayout } from "./layout.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

it("gives clusters of the same name in different state folders different ids", () => {
  vi.stubEnv("HATCHERY_STATE", "/one");
  const one = clusterLayout("dev");
  vi.stubEnv("HATCHERY_STATE", "/two");
  const two = clusterLayout("dev");
  expect(one.dir).toBe("/one/dev");
  expect(two.dir).toBe("/two/dev");
  expect(one.id).not.toBe(two.id);
  expect(one.id).toMatch(/^hatchery-dev-[0-9a-f]{6}$/);
});

it.each(["", "../up", "a/b", "Dev", "-a", "a".repeat(33)])("refuses %j as a name", (name) => {
  expect(() => clusterLayout(name)).toThrow("cluster name");
});
