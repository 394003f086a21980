import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { startPostgres } from "#test/harness/postgres.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { runtimeAt, startApiOnCluster, writeStatus } from "../testing/api-on-cluster.ts";
import { call } from "../testing/client.ts";
import { answerTo, dataOf, withKey, withToken } from "../testing/credentials.ts";
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

describe("without Postgres", () => {
  it("chats of callers who were let in go on for a minute, everything else says so, and it heals by itself", async () => {
    await using postgres = await startPostgres();
    await using gateway = await startScriptedGateway((_req, res) => sendJson(res, 200, { hello: "oli" }));
    const clock = new ManualClock(Date.now());
    const access = loadKubeAccess(inject("kubeconfig"));
    const own = await startApiOnCluster({ postgresPort: postgres.port, access, namespace: cluster.namespace, clock });
    const user = "oli";
    const { token } = await dataOf<{ token: string }>(own.url, { path: "/api/tokens", user, body: { name: "t" } });
    const agent = await dataOf<{ id: string }>(own.url, { path: "/api/agents", user, body: { name: "a" } });
    const { key } = await dataOf<{ key: string }>(own.url, {
      path: `/api/agents/${agent.id}/keys`,
      user,
      body: { scopes: ["openclaw:read", "openclaw:chat"] },
    });
    await dataOf(own.url, { method: "POST", path: INSTANCE, user });
    const runtime = runtimeAt(own.config, gateway.origin);
    await writeStatus(cluster.client, cluster.namespace, user, { phase: "Ready", runtime });
    const chat = { path: "/api/openclaw/chat", body: { input: "x" } };
    const callers = [
      { name: "internal key", chat: { ...chat, user }, read: { path: INSTANCE, user } },
      { name: "token", chat: withToken(token, chat), read: withToken(token, { path: INSTANCE }) },
    ];
    for (const caller of callers) await eventually(() => answerTo(own.url, caller.chat)).toBe("200");
    expect(await answerTo(own.url, withKey(key, chat))).toBe("404 instance_not_found");

    await postgres.kill();
    const away = "503 store_unavailable";
    const everything = async () => [
      ...(await Promise.all(callers.flatMap((one) => [answerTo(own.url, one.chat), answerTo(own.url, one.read)]))),
      await answerTo(own.url, withKey(key, chat)),
      await answerTo(own.url, { path: "/api/access", user }),
      await answerTo(own.url, { path: "/api/waitlist", user: null, body: { email: "oli@example.org" } }),
      await answerTo(own.url, { path: "/api/openclaw", user: null }),
      await answerTo(own.url, { path: INSTANCE, user: null }),
      await answerTo(own.url, { ...chat, user: "never-seen" }),
    ];
    const rest = [away, away, "200", "401 unauthorized", away];
    await clock.advance(30_000);
    expect(await everything()).toEqual(["200", away, "200", away, "404 instance_not_found", ...rest]);
    expect((await call(own.url, { path: INSTANCE, user })).headers["retry-after"]).toBe("5");
    await clock.advance(31_000);
    expect(await everything()).toEqual([away, away, away, away, away, ...rest]);

    await postgres.restart();
    for (const caller of callers) {
      expect(await answerTo(own.url, caller.chat)).toBe("200");
      expect(await answerTo(own.url, caller.read)).toBe("200");
    }
    await own[Symbol.asyncDispose]();
  });
});
