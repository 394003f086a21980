import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { runtimeAt, startApiOnCluster, writeStatus } from "../testing/api-on-cluster.ts";
import { call } from "../testing/client.ts";
import { eventually } from "../testing/eventually.ts";
import { sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";

const INSTANCE = "/api/openclaw/instance";
let cluster: TestNamespace;

beforeAll(async () => {
  cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "outage");
});

afterAll(() => cluster[Symbol.asyncDispose]());

describe("without the apiserver", () => {
  it("an empty cache is never taken for an empty cluster", async () => {
    const proxy = await startFaultProxy(inject("kubeconfig"));
    proxy.inject({ kind: "reset" });
    const own = await startApiOnCluster({
      postgresPort: inject("postgresPort"),
      access: proxy.access,
      namespace: cluster.namespace,
      waitForSync: false,
    });
    for (const [method, path] of [
      ["GET", INSTANCE],
      ["POST", INSTANCE],
      ["DELETE", INSTANCE],
      ["GET", `${INSTANCE}/watch`],
      ["GET", "/api/openclaw/sessions"],
      ["GET", "/v1/models"],
    ] as const) {
      const { status, headers, text } = await call(own.url, { method, path });
      expect([method, path, status, headers["retry-after"]]).toEqual([method, path, 503, "5"]);
      expect(text).toContain("cluster_unavailable");
    }
    await own[Symbol.asyncDispose]();
    await proxy.close();
  });

  it("a filled one says 503 once it can't be confirmed, goes on serving who was ready, and heals by itself", async () => {
    await using gateway = await startScriptedGateway((_req, res) => sendJson(res, 200, { hello: "nia" }));
    const proxy = await startFaultProxy(inject("kubeconfig"));
    const clock = new ManualClock(Date.now());
    const own = await startApiOnCluster({
      postgresPort: inject("postgresPort"),
      access: proxy.access,
      namespace: cluster.namespace,
      clock,
    });
    const read = (user: string) => call(own.url, { path: INSTANCE, user });
    await call(own.url, { method: "POST", path: INSTANCE, user: "nia" });
    await writeStatus(cluster.client, cluster.namespace, "nia", {
      phase: "Ready",
      runtime: runtimeAt(own.config, gateway.origin),
    });
    await eventually(async () => (await read("nia")).json).toMatchObject({ data: { status: "ready" } });

    const outage = proxy.inject({ kind: "reset" });
    proxy.resetConnections();
    await clock.advance(11_000);
    for (const user of ["nia", "nobody"]) {
      const { status, json, headers } = await read(user);
      expect([status, json, headers["retry-after"]]).toMatchObject([503, { code: "cluster_unavailable" }, "5"]);
    }
    const chat = await call(own.url, { path: "/api/openclaw/chat", user: "nia", body: { input: "x" } });
    expect([chat.status, chat.json]).toEqual([200, { hello: "nia" }]);
    expect((await call(own.url, { path: "/v1/models", user: "nobody" })).status).toBe(503);

    outage.remove();
    expect((await read("nobody")).json).toMatchObject({ ok: true, data: null });
    expect((await read("nia")).json).toMatchObject({ data: { status: "ready" } });
    await own[Symbol.asyncDispose]();
    await proxy.close();
  });
});
