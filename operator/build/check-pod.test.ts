import { describe, expect, it } from "vitest";
import { CHECKED_CONFIG_ANNOTATION, type ClassSpec, LABEL } from "#crds/index.ts";
import { trimPod } from "../cache/trim.ts";
import { aClass, anInstance, SLOT } from "../instance/view.fixture.ts";
import { buildCheckPod } from "./check-pod.ts";
import { buildClassPolicy } from "./network-policy.ts";
import { buildPod } from "./pod.ts";
import { buildService } from "./service.ts";

const image = "registry.test/openclaw:2026.10.0";
const check = (plan: Partial<ClassSpec> = {}) => buildCheckPod(anInstance(), aClass(plan), image, '{"a":1}\n');

describe("the pod of a check", () => {
  it("is bound as a tenant's pod is, and has none of its credentials, nor its volume", () => {
    const scheduling = { nodeSelector: { disk: "fast" }, runtimeClassName: "gvisor" };
    const plan = aClass({ scheduling, imagePullSecrets: [{ name: "pull" }] });
    const inputs = {
      slot: SLOT,
      keyId: "0011aabb",
      newestKeyId: "0011aabb",
      configDigest: "d",
      operatorVersion: "1",
      image,
    };
    const tenant = buildPod(anInstance(), plan, inputs);
    const { spec } = buildCheckPod(anInstance(), plan, image, "{}");
    const bounds = [
      "securityContext",
      "automountServiceAccountToken",
      "enableServiceLinks",
      "nodeSelector",
      "runtimeClassName",
      "imagePullSecrets",
    ] as const;
    for (const field of bounds) {
      expect(tenant.spec?.[field], field).toBeDefined();
      expect(spec?.[field], field).toEqual(tenant.spec?.[field]);
    }
    expect(spec?.containers[0]?.securityContext).toEqual(tenant.spec?.containers[0]?.securityContext);
    expect(JSON.stringify(spec)).not.toMatch(/secretKeyRef|persistentVolumeClaim/);
    expect(spec).toMatchObject({ restartPolicy: "Never", activeDeadlineSeconds: 600 });
  });

  it("is selected by the class's network policy and by no Service", () => {
    const { labels } = check().metadata;
    expect(labels).toMatchObject(
      buildClassPolicy(aClass(), "tenants", { namespace: "hatchery", dnsCidrs: [] }).spec?.podSelector?.matchLabels ?? {
        none: "",
      },
    );
    expect(labels).not.toHaveProperty([LABEL.slot]);
    expect(Object.keys(buildService(anInstance(), SLOT).spec?.selector ?? {})).toContain(LABEL.slot);
  });

  it("carries the configuration itself, which no cache keeps", () => {
    const pod = check();
    expect(pod.metadata.annotations?.[CHECKED_CONFIG_ANNOTATION]).toBe('{"a":1}\n');
    expect(JSON.stringify(pod.spec?.volumes)).toContain(`metadata.annotations['${CHECKED_CONFIG_ANNOTATION}']`);
    expect(trimPod(pod).metadata.annotations).not.toHaveProperty([CHECKED_CONFIG_ANNOTATION]);
  });

  it("asks for little room, never for more than the class's pods, and for nothing it has no use for", () => {
    const gpu = { "nvidia.com/gpu": 1 };
    const small = { cpu: "10m", memory: "16Mi" };
    const of = (requests: Record<string, string>) =>
      check({ resources: { requests: { ...requests, ...gpu }, limits: { cpu: 2, memory: "2Gi", ...gpu } } }).spec
        ?.containers[0]?.resources;
    expect(of({ cpu: "1", memory: "1Gi" })).toEqual({
      requests: { cpu: "100m", memory: "256Mi", "ephemeral-storage": "128Mi" },
      limits: { cpu: "2", memory: "2Gi", "ephemeral-storage": "2Gi" },
    });
    expect(of(small)?.requests).toMatchObject(small);
  });
});
