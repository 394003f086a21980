import { describe, expect, it } from "vitest";
import { findDrift } from "./drift.ts";

const pod = (container: object, more: object = {}) => ({
  spec: { containers: [{ name: "main", ...container }], ...more },
});

describe("findDrift", () => {
  it.each([
    ["equal", { a: 1 }, { a: 1 }],
    [
      "defaults of the server",
      pod({ image: "x" }),
      pod({ image: "x", imagePullPolicy: "Always" }, { dnsPolicy: "Default" }),
    ],
    ["another manager's labels", { metadata: { labels: { a: "1" } } }, { metadata: { labels: { a: "1", b: "2" } } }],
    ["containers put beside ours", pod({}), { spec: { containers: [{ name: "mesh" }, { name: "main" }] } }],
    [
      "volume mounts with one name, told apart by path",
      [
        { name: "v", mountPath: "/a", subPath: "a" },
        { name: "v", mountPath: "/b" },
      ],
      [
        { name: "v", mountPath: "/b" },
        { name: "v", mountPath: "/a", subPath: "a" },
        { name: "token", mountPath: "/c" },
      ],
    ],
    ["empty values that Go leaves out", { spec: { ingress: [], labels: {}, on: false, n: 0, s: "" } }, { spec: {} }],
    ["an empty block", { spec: { podSelector: {} } }, { spec: {} }],
    [
      "memory in another unit",
      pod({ resources: { limits: { memory: "1024Mi" } } }),
      pod({ resources: { limits: { memory: "1Gi" } } }),
    ],
    [
      "cpu in thousandths",
      pod({ resources: { requests: { cpu: 0.5 } } }),
      pod({ resources: { requests: { cpu: "500m" } } }),
    ],
    [
      "a port's default protocol",
      { kind: "NetworkPolicy", spec: { egress: [{ ports: [{ port: 1 }] }] } },
      { kind: "NetworkPolicy", spec: { egress: [{ ports: [{ port: 1, protocol: "TCP" }] }] } },
    ],
    ["a size limit", { emptyDir: { sizeLimit: "0.5Gi" } }, { emptyDir: { sizeLimit: "512Mi" } }],
  ])("sees none in %s", (_what, applied, live) => {
    expect(findDrift(applied, live)).toBeUndefined();
  });

  it.each([
    ["a changed value", { data: { a: "1" } }, { data: { a: "2" } }, ".data.a"],
    ["a removed value", { data: { a: "1" } }, { data: {} }, ".data.a"],
    ["a changed container", pod({ image: "x" }), pod({ image: "y" }), ".spec.containers[0].image"],
    ["a missing container", pod({ image: "x" }), { spec: { containers: [{ name: "other" }] } }, ".spec.containers[0]"],
    [
      "a rule added to a list without names",
      { spec: { egress: [{ ports: [{ port: 53 }] }] } },
      { spec: { egress: [{ ports: [{ port: 53 }] }, {}] } },
      ".spec.egress",
    ],
    ["a rule added to an empty list", { spec: { ingress: [] } }, { spec: { ingress: [{}] } }, ".spec.ingress"],
    ["an argument added", { args: ["a"] }, { args: ["a", "b"] }, ".args"],
    ["arguments in another order", { args: ["a", "b"] }, { args: ["b", "a"] }, ".args[0]"],
    ["text that looks like a quantity", { data: { size: "1024Mi" } }, { data: { size: "1Gi" } }, ".data.size"],
    ["another quantity", { limits: { memory: "1Gi" } }, { limits: { memory: "2Gi" } }, ".limits.memory"],
    [
      "a key more in a policy's selector",
      { kind: "NetworkPolicy", spec: { podSelector: { matchLabels: { a: "1" } } } },
      { kind: "NetworkPolicy", spec: { podSelector: { matchLabels: { a: "1", b: "2" } } } },
      ".spec.podSelector.matchLabels.b",
    ],
    [
      "all namespaces put into a policy's peer",
      { kind: "NetworkPolicy", spec: { ingress: [{ from: [{ podSelector: { matchLabels: { a: "1" } } }] }] } },
      {
        kind: "NetworkPolicy",
        spec: { ingress: [{ from: [{ podSelector: { matchLabels: { a: "1" } }, namespaceSelector: {} }] }] },
      },
      ".spec.ingress[0].from[0].namespaceSelector",
    ],
    [
      "a key more in a Service's selector",
      { kind: "Service", spec: { selector: { a: "1" } } },
      { kind: "Service", spec: { selector: { a: "1", b: "2" }, clusterIP: "10.0.0.1" } },
      ".spec.selector.b",
    ],
    ["a list made a value", { a: ["x"] }, { a: "x" }, ".a"],
  ])("finds %s", (_what, applied, live, path) => {
    expect(findDrift(applied, live)).toBe(path);
  });
});
