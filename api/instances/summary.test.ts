import { expect, it } from "vitest";
import { GROUP, type InstanceStatus, type OpenClawInstance, VERSION } from "#crds/index.ts";
import { instanceName } from "./name.ts";
import { isSettled, stateOf } from "./phase.ts";
import { summarize } from "./summary.ts";

function instance(status: Partial<InstanceStatus> | undefined, metadata = {}): OpenClawInstance {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: "OpenClawInstance",
    metadata: { name: "oc-x", generation: 2, creationTimestamp: "2026-01-01T00:00:00Z", ...metadata },
    spec: { owner: { subject: "alice", kind: "Human" }, className: "standard", runPolicy: "OnDemand" },
    ...(status ? { status } : {}),
  };
}

it("gives callers the five fields of old and what is the matter, and no address", () => {
  const summary = summarize(
    instance({
      phase: "Failed",
      lastReadyTime: "2026-01-01T00:01:00Z",
      runtime: { name: "openclaw-oc-x", slot: "s".repeat(32), keyId: "12345678", podIP: "10.9.8.7", port: 18789 },
      endpoint: "http://openclaw-oc-x.tenants.svc:18789",
      failure: { step: "pod", reason: "CrashLoop", message: "it ends", since: "2026-01-01T00:02:00Z" },
      conditions: [
        {
          type: "Ready",
          status: "False",
          reason: "CrashLoop",
          message: "m",
          lastTransitionTime: "2026-01-01T00:02:00Z",
        },
      ],
    }),
  );
  expect(summary).toEqual({
    status: "error",
    suspended: false,
    runtime_name: "openclaw-oc-x",
    created_at: Date.UTC(2026, 0, 1),
    updated_at: Date.UTC(2026, 0, 1, 0, 2),
    last_ready_at: Date.UTC(2026, 0, 1, 0, 1),
    phase: "Failed",
    message: "it ends",
    conditions: [
      {
        type: "Ready",
        status: "False",
        reason: "CrashLoop",
        message: "m",
        last_transition_at: Date.UTC(2026, 0, 1, 0, 2),
      },
    ],
  });
  expect(JSON.stringify(summary)).not.toMatch(/10\.9\.8\.7|18789|ssss/);
});

it.each([
  [undefined, {}, "provisioning", false],
  [{ phase: "Ready" }, {}, "ready", false],
  [{ phase: "Stopped" }, {}, "ready", true],
  [{ phase: "Failed" }, {}, "error", false],
  [{ phase: "Ready" }, { deletionTimestamp: "2026-01-01T00:00:01Z" }, "deleted", false],
] as const)("status %j with %j is %s, suspended %s", (status, metadata, state, suspended) => {
  expect(summarize(instance(status, metadata))).toMatchObject({ status: state, suspended });
});

it("takes a phase it doesn't know for under way", () => {
  expect(stateOf("Waking")).toBe("provisioning");
});

it("waits for the operator to judge the spec of now before it calls a failure or a stop final", () => {
  expect(isSettled(instance({ phase: "Failed", observedGeneration: 1 }))).toBe(false);
  expect(isSettled(instance({ phase: "Failed", observedGeneration: 2 }))).toBe(true);
  expect(isSettled(instance({ phase: "Stopped", observedGeneration: 1 }))).toBe(false);
  expect(isSettled(instance({ phase: "Stopped", observedGeneration: 2 }))).toBe(true);
  expect(isSettled(instance({ phase: "Provisioning", observedGeneration: 2 }))).toBe(false);
});

it("names a tenant's instance by a hash nobody can collide with", () => {
  // First 20 bytes of SHA-256("human:alice") in RFC 4648 base32, computed by coreutils: basenc --base32.
  expect(instanceName("human:alice")).toBe("oc-5wuvxhza3uzldjdtjxz5ohc6bn3qriwh");
  const names = ["human:a_b", "human:a-b", "human:A-B", "agent:a-b"].map(instanceName);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^oc-[a-z2-7]{32}$/);
});
