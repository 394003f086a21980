import { describe, expect, it } from "vitest";
import { ANNOTATION, INSTANCES, LABEL, type OpenClawInstance } from "#crds/index.ts";
import { controllerOf } from "#lib/kube/owner.ts";
import {
  CONFIG_MAPS,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICES,
} from "#lib/kube/resource.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { countRequests, readAuditLog } from "#test/harness/audit-log.ts";
import { instanceNamed, isReady, OPERATOR_AGENT, untilInstance } from "./operator.fixture.ts";
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

/** What the operator under test asked of the apiserver in this test's namespace. */
async function requests() {
  const all = await readAuditLog(plane.auditLog ?? "");
  return all.filter((r) => r.userAgent.startsWith(OPERATOR_AGENT) && r.namespace === namespace && r.verb !== "watch");
}

async function createReady(name: string, spec = {}): Promise<OpenClawInstance> {
  await client.create(INSTANCES, instanceNamed(namespace, name, { className: namespace, ...spec }));
  return untilInstance(client, ref(name), isReady);
}

/** Nothing to do and nothing put off: what is not in the queue can only come from a change. */
async function atRest(): Promise<void> {
  await waitFor("an empty queue", () => operator.controllers.every(({ queue }) => queue.size === 0));
}

describe("an instance with nothing but an owner and a class", () => {
  it("becomes ready with one write per child and two of its status, and then rests", async () => {
    const instance = await createReady("alice");
    await atRest();
    expect(countRequests((await requests()).filter(({ verb }) => verb !== "list"))).toEqual({
      "patch secrets": 1,
      "patch configmaps": 1,
      "patch persistentvolumeclaims": 1,
      "patch services": 1,
      "patch networkpolicies": 1,
      "patch pods": 1,
      "patch openclawinstances/status": 2,
    });
    expect(node.gatewayCalls()).toBe(1);

    const { status } = instance;
    expect(status?.phase).toBe("Ready");
    expect(status?.conditions?.map(({ type, status: is }) => [type, is])).toEqual([
      ["ClassFound", "True"],
      ["ConfigValid", "True"],
      ["ModelConfigured", "True"],
      ["StorageReady", "True"],
      ["PodReady", "True"],
      ["GatewayReachable", "True"],
      ["Ready", "True"],
    ]);
    expect(status?.failure).toBeUndefined();
    expect(status?.runtime).toMatchObject({
      name: "openclaw-alice",
      port: 18789,
      node: "fake-node",
      version: "2026.9.6",
    });
    expect(status?.endpoint).toBe(`http://openclaw-alice.${namespace}.svc:18789`);
  });

  it("has children that all belong to it, but for the volume it keeps", async () => {
    const { metadata, status } = await createReady("alice");
    for (const type of [SECRETS, CONFIG_MAPS, SERVICES, PODS]) {
      const child = await client.get(type, ref("openclaw-alice"));
      expect(child && controllerOf(child)?.uid, type.kind).toBe(metadata.uid);
    }
    const claim = await client.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice"));
    expect(claim?.metadata.ownerReferences).toBeUndefined();
    expect(claim?.metadata.labels?.[LABEL.slot]).toBe(status?.runtime?.slot);
    expect(claim?.metadata.labels?.[LABEL.tenant]).toMatch(/^[0-9a-f]{32}$/);
  });

  it("rests also when each child's annotations are poked, and puts back what was changed by hand with one write", async () => {
    await createReady("alice");
    await atRest();
    const before = (await requests()).length;
    const children = [SECRETS, CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, SERVICES, PODS];
    for (const type of children) {
      await client.mergePatch(type, ref("openclaw-alice"), { metadata: { annotations: { poked: "yes" } } });
    }
    await client.mergePatch(INSTANCES, ref("alice"), { metadata: { annotations: { poked: "yes" } } });
    // The changes below come after the pokes, so once they are answered the pokes were looked at.
    await client.mergePatch(CONFIG_MAPS, ref("openclaw-alice"), { data: { "openclaw.json": "{}" } });
    await waitFor("the configuration to be put back", async () => {
      const map = await client.get(CONFIG_MAPS, ref("openclaw-alice"));
      return (map?.data?.["openclaw.json"]?.length ?? 0) > 2;
    });
    await client.mergePatch(SECRETS, ref("openclaw-alice"), { data: { "model-key": "eA==" } });
    await waitFor("the Secret to be put back", async () => {
      const secret = await client.get(SECRETS, ref("openclaw-alice"));
      return secret?.data?.["model-key"] !== "eA==";
    });
    await atRest();
    expect(countRequests((await requests()).slice(before))).toEqual({ "patch configmaps": 1, "patch secrets": 1 });
  });

  it("is left alone by an operator that starts anew", async () => {
    await createReady("alice");
    await createReady("bob");
    await atRest();
    const calls = node.gatewayCalls();
    await operator.stop();
    const before = (await requests()).length;
    await startAgain();
    await atRest();
    expect((await requests()).slice(before).filter(({ verb }) => verb !== "list")).toEqual([]);
    expect(node.gatewayCalls()).toBe(calls);
  });
});

describe("a pod that is gone", () => {
  async function identity(name: string) {
    const pod = await client.get(PODS, ref(`openclaw-${name}`));
    const claim = await client.get(PERSISTENT_VOLUME_CLAIMS, ref(`openclaw-${name}`));
    const secret = await client.get(SECRETS, ref(`openclaw-${name}`));
    return {
      pod: pod?.metadata.uid,
      slot: pod?.metadata.labels?.[LABEL.slot],
      claim: claim?.metadata.uid,
      token: secret?.data,
    };
  }

  it("is replaced with the same volume and slot when it failed, and the reason is told until then", async () => {
    await createReady("alice");
    const before = await identity("alice");
    await node.setStatus(`${namespace}/openclaw-alice`, {
      phase: "Failed",
      reason: "Evicted",
      message: "The node was low on resource: memory.",
    });
    const evicted = await untilInstance(client, ref("alice"), ({ status }) => status?.failure?.reason === "Evicted");
    expect(evicted.status?.failure?.message).toContain("low on resource: memory");
    expect(evicted.status?.runtime?.podIP).toBeUndefined();
    const again = await untilInstance(client, ref("alice"), isReady);
    const after = await identity("alice");
    expect(after).toEqual({ ...before, pod: after.pod });
    expect(after.pod).not.toBe(before.pod);
    expect(again.status).toMatchObject({ restarts: 1 });
    expect(again.status?.failure).toBeUndefined();
  });

  it("is replaced when it was deleted by hand", async () => {
    const { status } = await createReady("alice");
    const before = await identity("alice");
    await client.delete(PODS, ref("openclaw-alice"));
    await untilInstance(
      client,
      ref("alice"),
      (i) => isReady(i) && i.status?.runtime?.podUID !== status?.runtime?.podUID,
    );
    const after = await identity("alice");
    expect(after).toEqual({ ...before, pod: after.pod });
  });

  it("comes back with the token it had when the Secret is deleted by hand", async () => {
    const { status } = await createReady("alice");
    const before = await identity("alice");
    await client.delete(SECRETS, ref("openclaw-alice"));
    await waitFor("a Secret", async () => (await identity("alice")).token);
    expect(await identity("alice")).toEqual(before);
    expect((await client.get(INSTANCES, ref("alice")))?.status?.runtime?.slot).toBe(status?.runtime?.slot);
  });
});

describe("a changed spec", () => {
  it("reaches the pod by one replacement, never by a patch", async () => {
    const before = await createReady("alice");
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { gateway: { toolsDeny: ["nodes"] } } });
    const after = await untilInstance(
      client,
      ref("alice"),
      (i) => isReady(i) && i.status?.runtime?.podUID !== before.status?.runtime?.podUID,
    );
    await atRest();
    // The first and last of them are those of the check.
    const counts = countRequests((await requests()).filter(({ resource }) => resource === "pods"));
    expect(counts).toEqual({ "list pods": 1, "patch pods": 3, "delete pods": 2 });
    expect(after.status?.runtime?.slot).toBe(before.status?.runtime?.slot);
  });

  it("stops the pod and keeps the volume, and starts it again", async () => {
    const before = await createReady("alice");
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { runPolicy: "Stopped" } });
    const stopped = await untilInstance(client, ref("alice"), ({ status }) => status?.phase === "Stopped");
    expect(stopped.status?.failure).toBeUndefined();
    expect(stopped.status?.runtime).not.toHaveProperty("podIP");
    expect(await client.get(PODS, ref("openclaw-alice"))).toBeUndefined();
    expect(await client.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice"))).toBeDefined();
    await atRest();
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { runPolicy: "OnDemand" } });
    const again = await untilInstance(client, ref("alice"), isReady);
    expect(again.status?.runtime?.slot).toBe(before.status?.runtime?.slot);
    expect(again.status?.restarts).toBe(0);
  });

  it("restarts once for each value of restartedAt", async () => {
    const restartedAt = "2026-11-23T10:00:00Z";
    const before = await createReady("alice");
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { restartedAt } });
    const after = await untilInstance(
      client,
      ref("alice"),
      (i) => isReady(i) && i.status?.observedRestart === restartedAt,
    );
    expect(after.status?.runtime?.podUID).not.toBe(before.status?.runtime?.podUID);
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { restartedAt: null } });
    const kept = await untilInstance(client, ref("alice"), isReady);
    await atRest();
    expect((await client.get(PODS, ref("openclaw-alice")))?.metadata.uid).toBe(kept.status?.runtime?.podUID);
    expect(kept.status?.runtime?.podUID).toBe(after.status?.runtime?.podUID);
  });

  it("opens destinations of its own by a policy of its own, and closes them again", async () => {
    await createReady("alice", { network: { egress: [{ cidr: "203.0.113.0/24", ports: [22] }] } });
    expect(await client.get(NETWORK_POLICIES, ref("openclaw-alice"))).toBeDefined();
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { network: null } });
    await waitFor("no policy", async () => !(await client.get(NETWORK_POLICIES, ref("openclaw-alice"))));
    expect(await client.get(NETWORK_POLICIES, ref(`openclaw-class.${namespace}`))).toBeDefined();
  });

  it("lets the volume go with the instance only under deletionPolicy Delete", async () => {
    const { metadata } = await createReady("alice");
    const owner = async () =>
      controllerOf((await client.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice"))) ?? instanceNamed(namespace, ""));
    expect(await owner()).toBeUndefined();
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { deletionPolicy: "Delete" } });
    await waitFor("an owner", async () => (await owner())?.uid === metadata.uid);
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { deletionPolicy: "Retain" } });
    await waitFor("no owner", async () => (await owner()) === undefined);
    expect((await client.get(PODS, ref("openclaw-alice")))?.metadata.annotations?.[ANNOTATION.podHash]).toBeDefined();
  });
});
