import { describe, expect, it } from "vitest";
import { digest } from "../build/digest.ts";
import { judgePod } from "../instance/pod-verdict.ts";
import { NOW, readyPod } from "../instance/view.fixture.ts";
import { trimConfigMap, trimPod, trimSecret } from "./trim.ts";

describe("what caches keep", () => {
  it("of a pod is enough to judge it, and little else", () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: "p",
        namespace: "n",
        uid: "u",
        resourceVersion: "7",
        labels: { a: "b" },
        annotations: { "hatchery.openagents.com/pod-hash": "h", "kubectl.kubernetes.io/other": "x" },
        deletionTimestamp: "2026-11-23T10:00:00Z",
      },
      spec: {
        nodeName: "node",
        containers: [{ name: "openclaw", image: "i", env: [{ name: "A", value: "b" }] }],
        volumes: [],
      },
      status: { ...readyPod(), hostIP: "10.0.0.1", qosClass: "Burstable" },
    };
    const trimmed = trimPod(pod);
    expect(judgePod(trimmed, NOW)).toEqual(judgePod(pod, NOW));
    expect(trimmed.metadata).toMatchObject({ uid: "u", resourceVersion: "7", labels: { a: "b" } });
    expect(trimmed.metadata.annotations).toEqual({ "hatchery.openagents.com/pod-hash": "h" });
    expect(trimmed.spec).toEqual({ nodeName: "node", containers: [{ name: "openclaw", image: "i" }] });
    expect(trimmed.status).not.toHaveProperty("hostIP");
  });

  it("of a Secret and a ConfigMap is no value, only its digest", () => {
    const metadata = { name: "x" };
    const secret = trimSecret({ apiVersion: "v1", kind: "Secret", metadata, data: { key: "c2VjcmV0" } });
    expect(secret.data).toEqual({ key: digest("c2VjcmV0") });
    const map = trimConfigMap({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { file: "text" } });
    expect(map.data).toEqual({ file: digest("text") });
  });
});
