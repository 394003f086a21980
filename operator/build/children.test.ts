import { beforeAll, describe, expect, it } from "vitest";
import { tenantKey } from "#crds/index.ts";
import { gatewayToken, keysReady, modelKey, verifyModelKey } from "#lib/keys.ts";
import { anInstance, SLOT, settings } from "../instance/view.fixture.ts";
import { buildConfigMap } from "./config-map.ts";
import { runtimeName } from "./identity.ts";
import { buildSecret } from "./secret.ts";
import { buildService, serviceEndpoint } from "./service.ts";

beforeAll(keysReady);

const decoded = (text: string | undefined) => Buffer.from(text ?? "", "base64").toString();

describe("children", () => {
  const owner = {
    apiVersion: "hatchery.openagents.com/v1alpha1",
    kind: "OpenClawInstance",
    name: "alice",
    uid: "alice-uid",
  };

  it("all bear one name and belong to their instance", () => {
    const { keyRing } = settings();
    const children = [
      buildSecret(anInstance(), SLOT, keyRing[0]),
      buildConfigMap(anInstance(), "{}", "registry.test/openclaw:1"),
      buildService(anInstance(), SLOT),
    ];
    for (const { kind, metadata } of children) {
      expect(metadata, kind).toMatchObject({
        name: "openclaw-alice",
        namespace: "tenants",
        ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
        labels: { "app.kubernetes.io/managed-by": "hatchery-operator", "hatchery.openagents.com/instance": "alice" },
      });
    }
  });

  it("are named by the status once that says how", () => {
    const runtime = { name: "openclaw-warm-7", slot: SLOT, keyId: "00000000" };
    expect(runtimeName(anInstance({}, { runtime }))).toBe("openclaw-warm-7");
  });

  it("hold the slot's credentials, derived from the root key", () => {
    const { keyRing } = settings();
    const { data, metadata } = buildSecret(anInstance(), SLOT, keyRing[0]);
    expect(decoded(data?.["gateway-token"])).toBe(gatewayToken(keyRing[0], SLOT));
    expect(decoded(data?.["model-key"])).toBe(modelKey(keyRing[0], SLOT));
    expect(verifyModelKey(keyRing, decoded(data?.["model-key"]))).toBe(SLOT);
    expect(metadata.annotations).toEqual({ "hatchery.openagents.com/key-id": keyRing[0].id });
  });

  it("have an address that selects the slot's pod", () => {
    const { spec } = buildService(anInstance(), SLOT);
    expect(spec?.selector).toEqual({
      "app.kubernetes.io/managed-by": "hatchery-operator",
      "hatchery.openagents.com/slot": SLOT,
    });
    expect(serviceEndpoint({ name: "openclaw-alice", namespace: "tenants" })).toBe(
      "http://openclaw-alice.tenants.svc:18789",
    );
  });
});

describe("a tenant", () => {
  it("is told from another by kind and subject", () => {
    expect(tenantKey({ subject: "alice", kind: "Human" })).toBe("human:alice");
    expect(tenantKey({ subject: "alice", kind: "Agent" })).toBe("agent:alice");
  });
});
