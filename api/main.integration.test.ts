import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { keysReady } from "#lib/keys.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { readConfig } from "./config.ts";
import { runtimeAt, writeStatus } from "./testing/api-on-cluster.ts";
import { INTERNAL_KEY } from "./testing/api-under-test.ts";
import { call, open } from "./testing/client.ts";
import { API_ROLE, createTestDatabase, type TestDatabase } from "./testing/database.fixture.ts";
import { eventually } from "./testing/eventually.ts";
import { beginEvents, startScriptedGateway } from "./testing/scripted-gateway.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const running = new Set<ChildProcess>();
let cluster: TestNamespace;
let database: TestDatabase;

beforeAll(async () => {
  await keysReady();
  cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "api-main");
  database = await createTestDatabase(inject("postgresPort"));
});

afterEach(async () => {
  for (const child of running) {
    const gone = once(child, "exit");
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await gone;
    }
  }
  running.clear();
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

function environment(): Record<string, string> {
  return {
    OPENCLAW_ENCRYPTION_KEY: "a1".repeat(32),
    OA_INTERNAL_KEY: INTERNAL_KEY,
    TENANT_NAMESPACE: cluster.namespace,
    DATABASE_URL: `postgresql://${API_ROLE}@127.0.0.1:${inject("postgresPort")}/${database.config.database}`,
    DATABASE_PASSWORD: API_ROLE,
    ACCESS_MODE: "open",
    PORT: "0",
    OPS_PORT: "0",
    KUBECONFIG: inject("kubeconfig"),
  };
}

function start(env: Record<string, string>): ChildProcess {
  const stdio = ["ignore", "pipe", "pipe"] as ["ignore", "pipe", "pipe"];
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env.PATH, ...env }, stdio });
  running.add(child);
  return child;
}

/** Starts the process; answers its addresses once it serves, and collects what it logs. */
async function serve(): Promise<{ child: ChildProcess; url: string; ops: string; log: string[] }> {
  const child = start(environment());
  const log: string[] = [];
  if (!child.stdout) throw new Error("no standard output");
  const { promise, resolve } = Promise.withResolvers<{ port: number; opsPort: number }>();
  createInterface(child.stdout).on("line", (line) => {
    log.push(line);
    const entry = JSON.parse(line) as { msg: string; port: number; opsPort: number };
    if (entry.msg === "serving") resolve(entry);
  });
  const { port, opsPort } = await promise;
  return { child, url: `http://127.0.0.1:${port}`, ops: `http://127.0.0.1:${opsPort}`, log };
}

describe("the API as a process", () => {
  it.each([
    [
      { OPENCLAW_ENCRYPTION_KEY: "", OA_INTERNAL_KEY: "short", PORT: "x" },
      /OPENCLAW_ENCRYPTION_KEY.*OA_INTERNAL_KEY.*PORT/s,
    ],
    [{ KUBECONFIG: "/nowhere/kubeconfig" }, /KUBECONFIG/],
  ])("does not start with %j, and names every fault", async (faults, names) => {
    const child = start({ ...environment(), ...faults });
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
    const { child, url, ops, log } = await serve();
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
