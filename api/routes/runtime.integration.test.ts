import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { INSTANCES } from "#crds/index.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { instanceName } from "../instances/name.ts";
import { type ApiOnCluster, startApiOnCluster, writeStatus } from "../testing/api-on-cluster.ts";
import { call } from "../testing/client.ts";
import { eventually } from "../testing/eventually.ts";

const access = loadKubeAccess(inject("kubeconfig"));
let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  cluster = await createTestNamespace(access, "api");
  api = await startApiOnCluster({ access, namespace: cluster.namespace, postgresPort: inject("postgresPort") });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const create = (user: string) => call(api.url, { method: "POST", path: "/api/openclaw/instance", user });
const runtime = (user: string, what: string) =>
  call(api.url, { method: "POST", path: `/api/openclaw/runtime/${what}`, user });
const ref = (user: string) => ({ namespace: cluster.namespace, name: instanceName(`human:${user}`) });
const live = (user: string) => cluster.client.get(INSTANCES, ref(user));
const status = (user: string, is: Parameters<typeof writeStatus>[3]) =>
  writeStatus(cluster.client, cluster.namespace, user, is);
/** Writes a status and waits until the API knows of it. */
async function known(user: string, is: Parameters<typeof writeStatus>[3]): Promise<void> {
  const { metadata } = await status(user, is);
  const seen = () => api.informer.get(`${metadata.namespace}/${metadata.name}`)?.metadata.resourceVersion;
  await eventually(seen).toBe(metadata.resourceVersion);
}

describe("a stop", () => {
  it("is written once, and kept until a start", async () => {
    await create("ann");
    await known("ann", { phase: "Ready" });
    expect((await runtime("ann", "stop")).json).toMatchObject({ ok: true, data: { phase: "Ready" } });
    const stopped = await live("ann");
    expect(stopped?.spec.runPolicy).toBe("Stopped");
    await runtime("ann", "stop");
    expect((await live("ann"))?.metadata.resourceVersion).toBe(stopped?.metadata.resourceVersion);

    expect((await runtime("ann", "start")).status).toBe(200);
    const started = await live("ann");
    expect(started?.spec).toMatchObject({ runPolicy: "OnDemand" });
    expect(started?.spec.restartedAt).toBeUndefined();
  });

  it("is answered when it is done, for those who wait", async () => {
    await create("ben");
    await known("ben", { phase: "Ready" });
    const stopping = runtime("ben", "stop?wait=120");
    await eventually(async () => (await live("ben"))?.spec.runPolicy).toBe("Stopped");
    await status("ben", { phase: "Stopped" });
    expect((await stopping).json).toMatchObject({ data: { status: "ready", suspended: true } });

    const starting = runtime("ben", "start?wait=120");
    await eventually(async () => (await live("ben"))?.spec.runPolicy).toBe("OnDemand");
    await status("ben", { phase: "Provisioning" });
    await status("ben", { phase: "Ready" });
    expect((await starting).json).toMatchObject({ data: { status: "ready", suspended: false } });
  });

  it("can be waited for only so long", async () => {
    const { status, json } = await runtime("ben", "stop?wait=121");
    expect([status, json]).toMatchObject([400, { error: expect.stringContaining("wait: ") }]);
    expect((await live("ben"))?.spec.runPolicy).toBe("OnDemand");
  });
});

describe("a start", () => {
  it("gives a failed one another try", async () => {
    await create("cat");
    const since = "2026-01-01T00:00:00Z";
    await known("cat", {
      phase: "Failed",
      failure: { step: "pod", reason: "ImagePullFailed", message: "no such image", since },
    });
    expect((await runtime("cat", "start")).status).toBe(200);
    expect((await live("cat"))?.spec.restartedAt).toBeDefined();
  });

  it("leaves one that runs alone", async () => {
    await create("dan");
    await known("dan", { phase: "Ready" });
    const before = await live("dan");
    expect((await runtime("dan", "start?wait=120")).json).toMatchObject({ data: { status: "ready" } });
    expect((await live("dan"))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
  });
});

describe("a restart", () => {
  it("is asked for by time, and changes nothing else", async () => {
    await create("eve");
    const before = await live("eve");
    const { status, json } = await runtime("eve", "restart");
    expect([status, json]).toMatchObject([200, { ok: true, data: { message: "restarting" } }]);
    const after = await live("eve");
    expect(after?.spec).toEqual({ ...before?.spec, restartedAt: after?.spec.restartedAt });
    expect(after?.spec.restartedAt).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it("of a stopped one starts nothing", async () => {
    await create("fay");
    await runtime("fay", "stop");
    const { status, json } = await runtime("fay", "restart");
    expect([status, json]).toMatchObject([
      409,
      { code: "instance_suspended", error: expect.stringContaining("POST /api/openclaw/runtime/start") },
    ]);
    expect((await live("fay"))?.spec).toMatchObject({ runPolicy: "Stopped" });
    expect((await live("fay"))?.spec.restartedAt).toBeUndefined();
  });
});

describe.each(["restart", "stop", "start"])("a %s", (what) => {
  it("of none is a 404, and makes none", async () => {
    const { status, json } = await runtime("nobody", what);
    expect([status, json]).toMatchObject([404, { code: "instance_not_found" }]);
    expect(await live("nobody")).toBeUndefined();
  });

  it("of one that is being deleted is a 409", async () => {
    const user = `gil-${what}`;
    await create(user);
    await cluster.client.mergePatch(INSTANCES, ref(user), { metadata: { finalizers: ["test/held"] } });
    await call(api.url, { method: "DELETE", path: "/api/openclaw/instance", user });
    const { status, headers, json } = await runtime(user, what);
    expect([status, headers["retry-after"], json]).toMatchObject([409, "2", { code: "instance_deleting" }]);
    await cluster.client.mergePatch(INSTANCES, ref(user), { metadata: { finalizers: null } });
  });
});

describe("a look", () => {
  const LOOKS = [
    "/api/openclaw/instance",
    "/api/openclaw/runtime/status",
    "/api/openclaw/runtime/devices",
    "/api/openclaw/runtime/pairing/telegram",
    "/api/openclaw/sessions",
    "/api/openclaw/sessions/main/history",
    "/v1/models",
  ];
  const look = async (user: string) => {
    const statuses: number[] = [];
    for (const path of LOOKS) statuses.push((await call(api.url, { path, user })).status);
    return statuses;
  };

  it("at a stopped one starts nothing and changes nothing", async () => {
    await create("ike");
    await runtime("ike", "stop");
    await known("ike", { phase: "Stopped" });
    const before = await live("ike");
    expect(await look("ike")).toEqual([200, 200, 409, 409, 409, 409, 409]);
    const { json } = await call(api.url, { path: "/api/openclaw/runtime/status", user: "ike" });
    expect(json).toMatchObject({ data: { gateway: { status: "stopped" } } });
    expect(await live("ike")).toEqual(before);
  });

  it("at none makes none", async () => {
    expect(await look("nobody")).toEqual([200, 404, 404, 404, 404, 404, 404]);
    expect(await live("nobody")).toBeUndefined();
  });
});

it("a backup is refused, since there would be none", async () => {
  await create("jim");
  const { status, json } = await runtime("jim", "backup");
  expect([status, json]).toMatchObject([
    501,
    { code: "not_implemented", error: expect.stringContaining("no backups") },
  ]);
  const { json: now } = await call(api.url, { path: "/api/openclaw/runtime/status", user: "jim" });
  expect(now).toMatchObject({ data: { lastBackup: null } });
});
