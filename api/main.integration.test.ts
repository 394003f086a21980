import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { keysReady } from "#lib/keys.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { readConfig } from "./config.ts";
import { runtimeAt, writeStatus } from "./testing/api-on-cluster.ts";
import { apiEnvironment, killProcess, spawnApi, startApiProcess } from "./testing/api-process.ts";
import { INTERNAL_KEY } from "./testing/api-under-test.ts";
import { call, open } from "./testing/client.ts";
import { createTestDatabase, type TestDatabase } from "./testing/database.fixture.ts";
import { eventually } from "./testing/eventually.ts";
import { beginEvents, startScriptedGateway } from "./testing/scripted-gateway.ts";

let cluster: TestNamespace;
let database: TestDatabase;

beforeAll(async () => {
  await keysReady();
  cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "api-main");
  database = await createTestDatabase(inject("postgresPort"));
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const environment = () =>
  apiEnvironment({
    kubeconfig: inject("kubeconfig"),
    namespace: cluster.namespace,
    postgresPort: inject("postgresPort"),
    database: database.config.database,
  });

describe("the API as a process", () => {
  it.each([
    [
      { OPENCLAW_ENCRYPTION_KEY: "", OA_INTERNAL_KEY: "short", PORT: "x" },
      /OPENCLAW_ENCRYPTION_KEY.*OA_INTERNAL_KEY.*PORT/s,
    ],
    [{ KUBECONFIG: "/nowhere/kubeconfig" }, /KUBECONFIG/],
  ])("does not start with %j, and names every fault", async (faults, names) => {
    const child = spawnApi({ ...environment(), ...faults });
    onTestFinished(() => killProcess(child));
    if (!child.stderr) throw new Error("no standard error");
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    expect(code).toBe(1);
    expect(said).toMatch(names);
    expect(said).not.toContain("short");
  });

  it("serves, says what it depends on, and ends in good order with its streams", async () => {
    const upstream = Promise.withResolvers<ServerResponse>();
    await using gateway = await startScriptedGateway((_req, res) => {
      beginEvents(res);
      upstream.resolve(res);
    });
    await using api = await startApiProcess(environment());
    const { child, url, ops, log } = api;
    await eventually(async () => (await call(ops, { path: "/readyz" })).status).toBe(200);
    const { json } = await call(ops, { path: "/readyz" });
    expect(json).toMatchObject({ ready: true, checks: { kubernetes: "ok", postgres: "ok" } });
    expect((await call(url, { path: "/api/openclaw/instance" })).json).toMatchObject({ ok: true, data: null });
    await call(url, { method: "POST", path: "/api/openclaw/instance" });
    const config = readConfig(environment());
    await writeStatus(cluster.client, cluster.namespace, "alice", {
      phase: "Ready",
      runtime: runtimeAt(config, gateway.origin),
    });
    const chat = { path: "/api/openclaw/chat", body: { input: "my secret words" } };
    await eventually(async () => (await call(url, { path: "/api/openclaw/instance" })).text).toContain('"ready"');
    const answer = await open(url, chat);
    expect(answer.status).toBe(200);

    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await eventually(async () => (await call(ops, { path: "/readyz" })).status).toBe(503);
    // Those who have not heard yet are still served.
    expect((await call(url, { path: "/api/openclaw" })).status).toBe(200);
    await eventually(() => call(url, { path: "/api/openclaw" }).catch(() => "refused")).toBe("refused");
    (await upstream.promise).end("data: [DONE]\n\n");
    expect(await answer.next()).toBe("data: [DONE]\n\n");
    expect(await answer.next()).toBeUndefined();
    expect(await exited).toEqual([0, null]);

    const said = log.join("\n");
    expect(said).toContain('"msg":"stopped"');
    for (const secret of [INTERNAL_KEY, "my secret words", "a1a1a1a1"]) expect(said).not.toContain(secret);
  });
});
