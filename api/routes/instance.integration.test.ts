import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { INSTANCES } from "#crds/index.ts";
import { gatewayToken } from "#lib/keys.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { instanceName } from "../instances/name.ts";
import { type ApiOnCluster, runtimeAt, startApiOnCluster, writeStatus } from "../testing/api-on-cluster.ts";
import { call, open } from "../testing/client.ts";
import { eventually } from "../testing/eventually.ts";
import { sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";

const access = loadKubeAccess(inject("kubeconfig"));
let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  cluster = await createTestNamespace(access, "api");
  api = await startApiOnCluster({ postgresPort: inject("postgresPort"), access, namespace: cluster.namespace });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const INSTANCE = "/api/openclaw/instance";
const get = (user: string) => call(api.url, { path: INSTANCE, user });
const post = (user: string, query = "") => call(api.url, { method: "POST", path: INSTANCE + query, user });
const remove = (user: string) => call(api.url, { method: "DELETE", path: INSTANCE, user });
const live = (user: string) =>
  cluster.client.get(INSTANCES, { namespace: cluster.namespace, name: instanceName(`human:${user}`) });
const status = (user: string, is: Parameters<typeof writeStatus>[3]) =>
  writeStatus(cluster.client, cluster.namespace, user, is);

/** Reads the events of a watch, comments aside. */
async function* events(answer: Awaited<ReturnType<typeof open>>): AsyncGenerator<{ phase?: string } | null> {
  let rest = "";
  for (;;) {
    const piece = await answer.next();
    if (piece === undefined) return;
    const records = (rest + piece).split("\n\n");
    rest = records.pop() ?? "";
    for (const record of records) {
      const data = /^event: instance\ndata: (.*)$/.exec(record)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

describe("an instance", () => {
  it("is none, then made once, whatever is sent along and however often", async () => {
    expect((await get("ann")).json).toMatchObject({ ok: true, data: null });
    const answers = await Promise.all([post("ann"), post("ann"), post("ann")]);
    for (const { status, json } of answers) {
      expect([status, json]).toMatchObject([200, { data: { status: "provisioning", runtime_name: null } }]);
    }
    const made = await live("ann");
    expect(made?.spec).toEqual({
      owner: { subject: "ann", kind: "Human" },
      className: "standard",
      runPolicy: "OnDemand",
    });
    // Whoever made it reads it at once.
    expect((await get("ann")).json).toMatchObject({
      data: { created_at: Date.parse(made?.metadata.creationTimestamp ?? "") },
    });
    await post("ann");
    expect((await live("ann"))?.metadata.resourceVersion).toBe(made?.metadata.resourceVersion);
  });

  it("is told as its status says", async () => {
    await post("ben");
    const ready = await status("ben", { phase: "Ready", lastReadyTime: "2026-01-01T00:00:00Z" });
    await eventually(() => api.informer.get(`${cluster.namespace}/${ready.metadata.name}`)?.status?.phase).toBe(
      "Ready",
    );
    expect((await get("ben")).json).toMatchObject({ data: { status: "ready", last_ready_at: Date.UTC(2026, 0, 1) } });
    expect((await call(api.url, { path: "/api/openclaw/runtime/status", user: "ben" })).json).toMatchObject({
      data: { gateway: { status: "running" }, lastBackup: null, container: { instanceType: "standard" } },
    });
  });

  it("is answered when it is ready, for those who wait", async () => {
    const waiting = post("cat", "?wait=120");
    await eventually(() => live("cat")).toBeDefined();
    await status("cat", { phase: "Provisioning" });
    await status("cat", { phase: "Ready" });
    expect((await waiting).json).toMatchObject({ data: { status: "ready" } });
    expect((await post("cat", "?wait=120")).json).toMatchObject({ data: { status: "ready" } });
  });

  it("is answered when it failed, and tried again on request", async () => {
    const waiting = post("dan", "?wait=120");
    await eventually(() => live("dan")).toBeDefined();
    const failure = {
      step: "pod",
      reason: "ImagePullFailed",
      message: "no such image",
      since: "2026-01-01T00:00:00Z",
    } as const;
    await status("dan", { phase: "Failed", failure });
    expect((await waiting).json).toMatchObject({ data: { status: "error", message: "no such image" } });
    const chat = await call(api.url, { path: "/api/openclaw/chat", user: "dan", body: { input: "x" } });
    expect([chat.status, chat.json]).toMatchObject([
      409,
      { code: "instance_failed", error: "openclaw chat pod: ImagePullFailed: no such image" },
    ]);

    const again = post("dan", "?wait=120");
    await eventually(async () => (await live("dan"))?.spec.restartedAt).toBeDefined();
    await status("dan", { phase: "Ready" });
    expect((await again).json).toMatchObject({ data: { status: "ready" } });
  });

  it.each(["Evicted", "NodeLost", "PodFailed"] as const)(
    "is not asked for a restart while its pod is replaced (%s)",
    async (reason) => {
      const user = `dora-${reason.toLowerCase()}`;
      await post(user);
      const failure = { step: "pod", reason, message: "gone", since: "2026-01-01T00:00:00Z" } as const;
      const failed = await status(user, { phase: "Failed", failure });
      await eventually(
        () => api.informer.get(`${cluster.namespace}/${failed.metadata.name}`)?.status?.failure,
      ).toBeDefined();
      expect((await post(user)).json).toMatchObject({ data: { status: "provisioning", message: "gone" } });
      const chat = await call(api.url, { path: "/api/openclaw/chat", user, body: { input: "x" } });
      expect([chat.status, chat.headers["retry-after"]]).toEqual([409, "2"]);
      expect(chat.json).toMatchObject({ code: "instance_not_ready" });
      // A restart now would end the very pod that replaces the lost one.
      expect((await live(user))?.spec.restartedAt).toBeUndefined();
      const waiting = post(user, "?wait=120");
      await status(user, { phase: "Ready" });
      expect((await waiting).json).toMatchObject({ data: { status: "ready" } });
    },
  );

  it("runs again when it was stopped", async () => {
    await post("eve");
    const ref = { namespace: cluster.namespace, name: instanceName("human:eve") };
    await cluster.client.mergePatch(INSTANCES, ref, { spec: { runPolicy: "Stopped" } });
    await status("eve", { phase: "Stopped" });
    await eventually(async () => (await get("eve")).json).toMatchObject({ data: { status: "ready", suspended: true } });
    const chat = await call(api.url, { path: "/api/openclaw/sessions", user: "eve" });
    expect([chat.status, chat.json]).toMatchObject([409, { code: "instance_suspended" }]);
    await post("eve");
    expect((await live("eve"))?.spec.runPolicy).toBe("OnDemand");
  });

  it("stays as it is when the wait is over, or is asked for wrongly", async () => {
    const clock = new ManualClock(Date.now());
    const own = await startApiOnCluster({
      postgresPort: inject("postgresPort"),
      access,
      namespace: cluster.namespace,
      clock,
    });
    const waiting = call(own.url, { method: "POST", path: `${INSTANCE}?wait=7`, user: "fay" });
    await eventually(() => own.informer.get(`${cluster.namespace}/${instanceName("human:fay")}`)).toBeDefined();
    await clock.advance(7_000);
    expect((await waiting).json).toMatchObject({ data: { status: "provisioning" } });
    await own[Symbol.asyncDispose]();
    for (const wait of ["121", "-1", "soon", "1.5"]) {
      const { status, json } = await post("fay", `?wait=${wait}`);
      expect([status, json]).toMatchObject([400, { error: expect.stringContaining("wait: ") }]);
    }
  });

  it("is deleted once, shows it, and can't be made until it is gone", async () => {
    await post("gil");
    const ref = { namespace: cluster.namespace, name: instanceName("human:gil") };
    await cluster.client.mergePatch(INSTANCES, ref, { metadata: { finalizers: ["hatchery.openagents.com/teardown"] } });
    expect((await remove("gil")).json).toMatchObject({ data: { deleted: true } });
    expect((await get("gil")).json).toMatchObject({ data: { status: "deleted", phase: "Terminating" } });
    const refused = await post("gil");
    expect([refused.status, refused.json]).toMatchObject([409, { code: "instance_deleting" }]);
    expect((await remove("gil")).json).toMatchObject({ data: { deleted: true } });
    await cluster.client.mergePatch(INSTANCES, ref, { metadata: { finalizers: null } });
    await eventually(async () => (await get("gil")).json).toMatchObject({ data: null });
    expect((await remove("gil")).json).toMatchObject({ data: { deleted: false } });
    expect((await post("gil")).json).toMatchObject({ data: { status: "provisioning" } });
  });

  it("of another owner under the same name is never touched", async () => {
    const name = instanceName("human:hal");
    await cluster.client.create(INSTANCES, {
      apiVersion: "hatchery.openagents.com/v1alpha1",
      kind: "OpenClawInstance",
      metadata: { name, namespace: cluster.namespace },
      spec: { owner: { subject: "somebody", kind: "Human" } } as never,
    });
    const refused = await post("hal");
    expect([refused.status, refused.json]).toMatchObject([409, { code: "name_taken" }]);
    expect((await get("hal")).json).toMatchObject({ data: null });
    expect((await remove("hal")).json).toMatchObject({ data: { deleted: false } });
    expect(await live("hal")).toBeDefined();
  });

  it("made by the platform team serves its owner", async () => {
    await cluster.client.create(INSTANCES, {
      apiVersion: "hatchery.openagents.com/v1alpha1",
      kind: "OpenClawInstance",
      metadata: { name: "by-hand", namespace: cluster.namespace },
      spec: { owner: { subject: "ida", kind: "Human" } } as never,
    });
    await eventually(async () => (await get("ida")).json).toMatchObject({ data: { status: "provisioning" } });
    await post("ida");
    expect(await live("ida")).toBeUndefined();
  });
});

describe("a watch", () => {
  it("tells the present state and each change, to its own user only", async () => {
    const answer = await open(api.url, { path: `${INSTANCE}/watch`, user: "jan" });
    expect(answer.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    const states = events(answer);
    expect((await states.next()).value).toBeNull();
    await post("kim");
    await post("jan");
    expect((await states.next()).value).toMatchObject({ status: "provisioning", conditions: [] });
    const condition = {
      type: "Ready",
      status: "False",
      reason: "ClaimPending",
      message: "waits for its volume",
      lastTransitionTime: "2026-01-01T00:00:00Z",
    } as const;
    await status("jan", { phase: "Provisioning", conditions: [condition] });
    expect((await states.next()).value).toMatchObject({
      phase: "Provisioning",
      message: "waits for its volume",
      conditions: [{ type: "Ready", reason: "ClaimPending" }],
    });
    await status("jan", { phase: "Ready" });
    expect((await states.next()).value).toMatchObject({ status: "ready" });
    await remove("jan");
    expect((await states.next()).value).toBeNull();
    answer.stream.once("error", () => undefined);
    answer.leave();
  });

  it("breaks silence, and sends its readers elsewhere when the process stops", async () => {
    const clock = new ManualClock(Date.now());
    const own = await startApiOnCluster({
      postgresPort: inject("postgresPort"),
      access,
      namespace: cluster.namespace,
      clock,
    });
    const answer = await open(own.url, { path: `${INSTANCE}/watch`, user: "lea" });
    expect(await answer.next()).toBe("event: instance\ndata: null\n\n");
    await clock.advance(15_000);
    expect(await answer.next()).toBe(": keep-alive\n\n");
    own.drain();
    expect(await answer.next()).toBe("retry: 1000\n\n");
    expect(await answer.next()).toBeUndefined();
    await own[Symbol.asyncDispose]();
  });
});

describe("a chat through the cluster", () => {
  it("reaches the address in the status with the token of its slot", async () => {
    await using gateway = await startScriptedGateway((_req, res) => sendJson(res, 200, { hello: "mia" }));
    const runtime = runtimeAt(api.config, gateway.origin);
    await post("mia");
    const chat = () => call(api.url, { path: "/api/openclaw/chat", user: "mia", body: { input: "x" } });
    expect([(await chat()).status, (await chat()).json]).toMatchObject([409, { code: "instance_not_ready" }]);
    await status("mia", { phase: "Ready", runtime });
    await eventually(async () => (await chat()).json).toEqual({ hello: "mia" });
    expect(gateway.seen[0]?.headers.authorization).toBe(`Bearer ${gatewayToken(api.config.keyRing[0], runtime.slot)}`);
  });
});
