import { describe, expect, it } from "vitest";
import { LEASES, NAMESPACES, PODS } from "./resource.ts";
import { resourcePath } from "./resource-path.ts";

describe("resourcePath", () => {
  it("knows the core group, named groups, scopes and subresources", () => {
    expect(resourcePath(PODS)).toBe("/api/v1/pods");
    expect(resourcePath(PODS, { namespace: "a", name: "b", subresource: "status" })).toBe(
      "/api/v1/namespaces/a/pods/b/status",
    );
    expect(resourcePath(LEASES, { namespace: "a" })).toBe("/apis/coordination.k8s.io/v1/namespaces/a/leases");
    expect(resourcePath(NAMESPACES, { name: "a" })).toBe("/api/v1/namespaces/a");
  });

  it("encodes what it is given, and leaves out what is undefined", () => {
    expect(resourcePath(PODS, { namespace: "a", name: "../x" })).toBe("/api/v1/namespaces/a/pods/..%2Fx");
    expect(resourcePath(PODS, {}, { labelSelector: "a in (b, c)", limit: undefined, watch: true })).toBe(
      "/api/v1/pods?labelSelector=a+in+%28b%2C+c%29&watch=true",
    );
  });

  it("refuses a path that would mean something else", () => {
    expect(() => resourcePath(PODS, { name: "x" })).toThrow("Pod x needs a namespace");
    expect(() => resourcePath(PODS, { namespace: "a", name: "" })).toThrow("needs a name");
    expect(() => resourcePath(NAMESPACES, { namespace: "a", name: "x" })).toThrow("cluster-scoped");
  });
});
