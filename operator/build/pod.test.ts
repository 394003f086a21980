import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ANNOTATION, type ClassSpec, type InstanceSpecInput } from "#crds/index.ts";
import { aClass, anInstance, SLOT } from "../instance/view.fixture.ts";
import { buildPod, type PodInputs, runtimeImage } from "./pod.ts";

const GOLDEN = new URL("pod.golden.json", import.meta.url);

const inputs: Omit<PodInputs, "image"> = {
  slot: SLOT,
  keyId: "0011aabb",
  newestKeyId: "0011aabb",
  configDigest: "d".repeat(64),
  operatorVersion: "1.2.3",
};

function build(spec: Partial<InstanceSpecInput> = {}, plan: Partial<ClassSpec> = {}, changed: Partial<PodInputs> = {}) {
  const image = runtimeImage(anInstance(spec), aClass(plan).spec);
  return buildPod(anInstance(spec), aClass(plan), { ...inputs, image, ...changed });
}

const hash = (pod: ReturnType<typeof build>) => pod.metadata.annotations?.[ANNOTATION.podHash];

describe("the pod", () => {
  // Its hash is in the file as well: a builder that builds another pod restarts every OpenClaw there is.
  it("is the one in pod.golden.json (UPDATE_GOLDEN=1 writes it anew)", async () => {
    const pod = build();
    if (process.env.UPDATE_GOLDEN) await writeFile(GOLDEN, `${JSON.stringify(pod, null, 2)}\n`);
    expect(pod).toEqual(JSON.parse(await readFile(GOLDEN, "utf8")));
  });

  it.each<[string, Partial<InstanceSpecInput>, Partial<ClassSpec>, Partial<PodInputs>]>([
    ["the image of the instance", { image: "registry.test/own:1" }, {}, {}],
    ["the image of the class", {}, { image: "registry.test/openclaw:2" }, {}],
    [
      "the resources",
      {},
      { resources: { requests: { cpu: 1, memory: "1Gi" }, limits: { cpu: 2, memory: "3Gi" } } },
      {},
    ],
    ["the configuration", {}, {}, { configDigest: "e".repeat(64) }],
    ["a newer root key", {}, {}, { newestKeyId: "ffffffff" }],
    ["the slot", {}, {}, { slot: "ef".repeat(16) }],
    ["where it may run", {}, { scheduling: { nodeSelector: { disk: "fast" } } }, {}],
    ["its pull secrets", {}, { imagePullSecrets: [{ name: "pull" }] }, {}],
  ])("is due anew for a change of %s", (_, spec, plan, changed) => {
    expect(hash(build(spec, plan, changed))).not.toBe(hash(build()));
  });

  it.each<[string, Partial<InstanceSpecInput>, Partial<ClassSpec>, Partial<PodInputs>]>([
    ["the operator's version", {}, {}, { operatorVersion: "2.0.0" }],
    ["restartedAt", { restartedAt: "2026-11-23T10:00:00Z" }, {}, {}],
    ["a volume that grows", {}, { storage: { size: "50Gi" } }, {}],
    ["what becomes of the volume", { deletionPolicy: "Delete" }, {}, {}],
    ["destinations", { network: { egress: [{ cidr: "203.0.113.0/24", ports: [22] }] } }, {}, {}],
    ["how long it may drain", {}, { drainSeconds: 5 }, {}],
  ])("goes on through a change of %s", (_, spec, plan, changed) => {
    expect(hash(build(spec, plan, changed))).toBe(hash(build()));
  });

  it("gets the credentials by reference only", () => {
    const text = JSON.stringify(build());
    expect(text).toContain('"secretKeyRef":{"name":"openclaw-alice","key":"gateway-token"}');
    expect(text).not.toMatch(/hmk_|"value":"[0-9a-f]{64}"/);
  });

  it("states ephemeral storage also where the class does, by the class's word", () => {
    const limits = { cpu: 2, memory: "2Gi", "ephemeral-storage": "9Gi" };
    const pod = build({}, { resources: { requests: { cpu: "500m", memory: "1Gi" }, limits } });
    expect(pod.spec?.containers[0]?.resources).toEqual({
      requests: { cpu: "500m", memory: "1Gi", "ephemeral-storage": "128Mi" },
      limits: { cpu: "2", memory: "2Gi", "ephemeral-storage": "9Gi" },
    });
  });

  it.each([
    ["requests", "5Gi", { requests: "5Gi", limits: "5Gi" }],
    ["requests", "1Gi", { requests: "1Gi", limits: "2Gi" }],
    ["limits", "64Mi", { requests: "64Mi", limits: "64Mi" }],
  ] as const)(
    "asks for no more of it than it may have where the class states %s of %s only",
    (which, amount, expected) => {
      const resources = { requests: { cpu: 1, memory: "1Gi" }, limits: { cpu: 2, memory: "2Gi" } };
      const stated = { ...resources, [which]: { ...resources[which], "ephemeral-storage": amount } };
      const { requests, limits } = build({}, { resources: stated }).spec?.containers[0]?.resources ?? {};
      expect({ requests: requests?.["ephemeral-storage"], limits: limits?.["ephemeral-storage"] }).toEqual(expected);
    },
  );
});
