import { describe, expect, it } from "vitest";
import { INSTANCES } from "#crds/index.ts";
import { systemClock } from "#lib/clock.ts";
import {
  CONFIG_MAPS,
  NAMESPACES,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  SERVICES,
} from "#lib/kube/resource.ts";
import type { KubeObject, ResourceType } from "#lib/kube/types.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { countRequests, readAuditLog } from "#test/harness/audit-log.ts";
import { refusalOf } from "./instance/refusal.ts";
import { instanceNamed, isReady, OPERATOR_AGENT, untilInstance, untilTold } from "./operator.fixture.ts";
import {
  client,
  namespace,
  node,
  operator,
  plane,
  ref,
  startAgain,
  useOperator,
} from "./operator-under-test.fixture.ts";

useOperator();

function create(name: string, spec = {}) {
  return client.create(INSTANCES, instanceNamed(namespace, name, { className: namespace, ...spec }));
}

describe("a volume", () => {
  it("that is lost is told of, and the pod stays", async () => {
    await create("alice");
    const before = await untilInstance(client, ref("alice"), isReady);
    const claim = await client.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice"));
    const volume = { name: claim?.spec?.volumeName ?? "" };
    await client.delete(PERSISTENT_VOLUMES, volume);
    await client.mergePatch(PERSISTENT_VOLUMES, volume, { metadata: { finalizers: null } });
    const { status } = await untilTold(client, plane, operator, ref("alice"), "ClaimLost");
    expect(status).toMatchObject({ failure: { step: "storage" }, runtime: { podUID: before.status?.runtime?.podUID } });
  });

  it("that nobody makes is told of after a minute", async () => {
    await operator.stop();
    const clock = { ...systemClock, now: () => Date.now() + 61_000 };
    await startAgain({ clock });
    await node.stop();
    await create("alice");
    const { status } = await untilTold(client, plane, operator, ref("alice"), "ClaimPending");
    expect(status?.failure?.message).toContain("kubectl describe pvc");
  });
});

describe("a child that was deleted or changed by hand", () => {
  it("is put back with one write each, whatever it was", async () => {
    await create("alice", { network: { egress: [{ cidr: "203.0.113.0/24", ports: [22] }] } });
    await untilInstance(client, ref("alice"), isReady);
    const written = async () => {
      const all = await readAuditLog(plane.auditLog ?? "");
      const ours = all.filter((r) => r.userAgent.startsWith(OPERATOR_AGENT) && r.namespace === namespace);
      return ours.filter(({ verb, resource }) => verb === "patch" && !/status|events/.test(resource));
    };
    const before = (await written()).length;
    const shared = ref(`openclaw-class.${namespace}`);
    for (const [type, child] of [
      [CONFIG_MAPS, ref("openclaw-alice")],
      [SERVICES, ref("openclaw-alice")],
      [NETWORK_POLICIES, ref("openclaw-alice")],
      [NETWORK_POLICIES, shared],
    ] as const) {
      const uid = (await client.get<KubeObject>(type as ResourceType, child))?.metadata.uid;
      await client.delete(type, child);
      await waitFor(`another ${type.kind}`, async () => {
        const found = await client.get<KubeObject>(type as ResourceType, child);
        return found !== undefined && found.metadata.uid !== uid;
      });
    }
    await client.mergePatch(SERVICES, ref("openclaw-alice"), { spec: { selector: { app: "mine" } } });
    await waitFor("its selector", async () => {
      const { spec } = (await client.get(SERVICES, ref("openclaw-alice"))) ?? {};
      return spec?.selector?.app === undefined && Object.keys(spec?.selector ?? {}).length > 0;
    });
    await client.mergePatch(NETWORK_POLICIES, ref("openclaw-alice"), { spec: { egress: [{}] } });
    await waitFor("its destinations", async () => {
      const { spec } = (await client.get(NETWORK_POLICIES, ref("openclaw-alice"))) ?? {};
      return spec?.egress?.[0]?.to !== undefined;
    });
    await waitFor("Events of what was deleted", async () => {
      const told = await plane.kubectl("-n", namespace, "describe", "openclawinstance", "alice");
      return ["ConfigMap", "Service", "NetworkPolicy"].every((kind) =>
        new RegExp(`Warning +ChildRestored .*The ${kind} .* was deleted and is made again`).test(told),
      );
    });
    await waitFor("an empty queue", () => operator.controllers.every(({ queue }) => queue.size === 0));
    expect(countRequests((await written()).slice(before))).toEqual({
      "patch configmaps": 1,
      "patch services": 2,
      "patch networkpolicies": 3,
    });
    const metrics = await operator.registry.metrics();
    for (const [kind, done, times] of [
      ["ConfigMap", "deleted", 1],
      ["Service", "deleted", 1],
      ["NetworkPolicy", "deleted", 2],
      ["Service", "changed", 1],
      ["NetworkPolicy", "changed", 1],
    ] as const) {
      expect(metrics).toContain(`hatchery_children_restored_total{kind="${kind}",done="${done}"} ${times}\n`);
    }
  });
});

describe("a namespace that is being deleted", () => {
  it("refuses children with a reason of its own, and its instances say that they end", async () => {
    const hold = { metadata: { finalizers: ["hatchery.test/hold"] } };
    await create("alice");
    await untilInstance(client, ref("alice"), isReady);
    await client.mergePatch(INSTANCES, ref("alice"), hold);
    await client.delete(NAMESPACES, { name: namespace });
    await untilInstance(client, ref("alice"), ({ status }) => status?.phase === "Terminating");
    const told = await plane.kubectl("-n", namespace, "describe", "openclawinstance", "alice");
    expect(told).toContain("The instance is being deleted.");
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: ref("late") };
    const write = { verb: "create", step: "config", type: CONFIG_MAPS, body } as const;
    const error = await client.create(CONFIG_MAPS, body).catch((refused: unknown) => refused);
    expect(refusalOf(error, write)).toMatchObject({ step: "config", reason: "Terminating" });
    await client.mergePatch(INSTANCES, ref("alice"), { metadata: { finalizers: null } });
  });
});
