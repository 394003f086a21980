import { beforeAll, describe, expect, it } from "vitest";
import { GROUP, type InstanceStatus, type OpenClawInstance, VERSION } from "#crds/index.ts";
import { gatewayToken, type KeyRing, keysReady, parseKeyRing } from "#lib/keys.ts";
import { ApiError } from "../errors.ts";
import { upstreamOf, upstreamResolver } from "./upstream.ts";

const SLOT = "0123456789abcdef".repeat(2);
let ring: KeyRing;

beforeAll(async () => {
  await keysReady();
  ring = parseKeyRing(`${"a1".repeat(32)},${"b2".repeat(32)}`);
});

function instance(status: Partial<InstanceStatus>, metadata = {}): OpenClawInstance {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: "OpenClawInstance",
    metadata: { name: "oc-x", namespace: "tenants", generation: 1, ...metadata },
    spec: { owner: { subject: "alice", kind: "Human" }, className: "standard", runPolicy: "OnDemand" },
    status,
  };
}

const runtime = (more = {}) => ({
  name: "openclaw-oc-x",
  slot: SLOT,
  keyId: ring[1]?.id ?? "",
  podIP: "10.1.2.3",
  port: 18789,
  ...more,
});
const condition = (type: string, status: "True" | "False", reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: "2026-01-01T00:00:00Z",
});

function refusal(of: OpenClawInstance): ApiError {
  try {
    upstreamOf(of, ring);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("the gateway of an instance", () => {
  it("is at the pod's address, opened by the token of its slot under the key that made it", () => {
    const old = ring[1];
    if (!old) throw new Error("two keys");
    expect(upstreamOf(instance({ phase: "Ready", runtime: runtime() }), ring)).toEqual({
      origin: "http://10.1.2.3:18789",
      token: gatewayToken(old, SLOT),
    });
  });

  it("may have an IPv6 address", () => {
    const { origin } = upstreamOf(instance({ phase: "Ready", runtime: runtime({ podIP: "fd00::1" }) }), ring);
    expect(new URL(origin).hostname).toBe("[fd00::1]");
  });

  it.each([
    ["no address", { podIP: undefined }],
    ["an address that is a name", { podIP: "evil.example" }],
    ["an address with a path", { podIP: "10.0.0.1/x" }],
    ["no port", { port: undefined }],
    ["a key that was retired", { keyId: "00000000" }],
  ])("can't be reached with %s", (_name, more) => {
    const error = refusal(instance({ phase: "Ready", runtime: runtime(more) }));
    expect([error.code, error.retryAfterSeconds]).toEqual(["instance_unreachable", 2]);
  });

  it.each<[string, () => OpenClawInstance, string, string, string]>([
    ["without a status", () => instance({}), "instance_not_ready", "provision_instance", "Pending"],
    [
      "whose claim is pending",
      () =>
        instance({
          phase: "Provisioning",
          conditions: [
            condition("Ready", "False", "ClaimPending", "waits"),
            condition("ClassFound", "True", "AsExpected", ""),
            condition("StorageReady", "False", "ClaimPending", "the volume is being made"),
          ],
        }),
      "instance_not_ready",
      "storage",
      "ClaimPending: the volume is being made",
    ],
    [
      "that failed",
      () =>
        instance({
          phase: "Failed",
          failure: { step: "config", reason: "ConfigRejected", message: "bad key", since: "2026-01-01T00:00:00Z" },
        }),
      "instance_failed",
      "config",
      "ConfigRejected: bad key",
    ],
    [
      "whose failed pod is being replaced",
      () =>
        instance({
          phase: "Failed",
          failure: { step: "pod", reason: "Evicted", message: "low on memory", since: "2026-01-01T00:00:00Z" },
        }),
      "instance_not_ready",
      "pod",
      "Evicted: low on memory",
    ],
    ["that is stopped", () => instance({ phase: "Stopped" }), "instance_suspended", "provision_instance", "POST"],
    [
      "that is being deleted, whatever its phase says",
      () => instance({ phase: "Ready", runtime: runtime() }, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
      "instance_deleting",
      "provision_instance",
      "deleted",
    ],
    [
      "of a phase yet unknown",
      () => instance({ phase: "Waking" as "Ready" }),
      "instance_not_ready",
      "provision_instance",
      "",
    ],
  ])("does not exist for one %s", (_name, of, code, step, text) => {
    const error = refusal(of());
    expect([error.code, error.step]).toEqual([code, step]);
    expect(error.message).toContain(text);
  });
});

describe("the look-up", () => {
  const tenant = { kind: "Human", subject: "alice" } as const;
  const ready = () => instance({ phase: "Ready", runtime: runtime() });
  const away = async () => {
    throw new ApiError("cluster_unavailable", "away");
  };
  const resolver = (find: () => OpenClawInstance | undefined, get: () => Promise<OpenClawInstance | undefined>) =>
    upstreamResolver({
      directory: { find, list: () => [], subscribe: () => () => undefined },
      instances: { get },
      keyRing: ring,
    });

  it("calls a ready instance even while the cluster is away", async () => {
    expect((await resolver(ready, away)(tenant)).origin).toBe("http://10.1.2.3:18789");
  });

  it.each<[string, () => OpenClawInstance | undefined]>([
    ["none", () => undefined],
    ["not ready", () => instance({ phase: "Provisioning" })],
  ])("never says %s while the cluster is away", async (_name, find) => {
    await expect(resolver(find, away)(tenant)).rejects.toMatchObject({ code: "cluster_unavailable" });
  });

  it("believes the cluster over a cache that knows of none", async () => {
    expect(
      (
        await resolver(
          () => undefined,
          async () => ready(),
        )(tenant)
      ).origin,
    ).toBe("http://10.1.2.3:18789");
  });

  it("says none when there is none for sure", async () => {
    await expect(
      resolver(
        () => undefined,
        async () => undefined,
      )(tenant),
    ).rejects.toMatchObject({
      code: "instance_not_found",
    });
  });
});
