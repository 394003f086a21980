import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { REASON } from "#crds/index.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { type ApiOnCluster, runtimeAt, startApiOnCluster, writeStatus } from "../testing/api-on-cluster.ts";
import { call } from "../testing/client.ts";
import { eventually } from "../testing/eventually.ts";
import { sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";

const access = loadKubeAccess(inject("kubeconfig"));
const postgresPort = inject("postgresPort");
const PATH = "/api/openclaw/diagnostics";
const owned = new AsyncDisposableStack();
let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  cluster = owned.use(await createTestNamespace(access, "diagnostics"));
  api = owned.use(await startApiOnCluster({ access, namespace: cluster.namespace, postgresPort }));
});
afterAll(() => owned.disposeAsync());

interface Check {
  link: string;
  status: string;
  reason: string;
  message: string;
  next_step: string | null;
}

async function diagnose(user: string, url = api.url): Promise<{ healthy: boolean; checks: Check[]; text: string }> {
  const { status, json, text } = await call(url, { path: PATH, user });
  expect(status, text).toBe(200);
  return { ...(json as { data: { healthy: boolean; checks: Check[] } }).data, text };
}

/** Links by how they are, e.g. `{failed: ["pod"]}`; those that are well are left out. */
function unwell(checks: readonly Check[]): Record<string, string[]> {
  const bad = checks.filter(({ status }) => status !== "ok");
  return Object.fromEntries(
    [...Map.groupBy(bad, ({ status }) => status)].map(([status, found]) => [status, found.map(({ link }) => link)]),
  );
}

const CONDITIONS = ["ClassFound", "ConfigValid", "StorageReady", "PodReady", "GatewayReachable", "ModelConfigured"];

/** Gives a user an instance with conditions that are all as wanted, but for these. */
async function give(
  user: string,
  over: object,
  broken: Record<string, [reason: keyof typeof REASON, message: string]> = {},
) {
  await call(api.url, { method: "POST", path: "/api/openclaw/instance", user });
  const conditions = CONDITIONS.map((type) => {
    const [reason, message] = broken[type] ?? [REASON.AsExpected, ""];
    const lastTransitionTime = "2026-01-01T00:00:00Z";
    return {
      type,
      status: broken[type] ? "False" : "True",
      reason,
      message,
      lastTransitionTime,
      observedGeneration: 1,
    };
  });
  const { metadata } = await writeStatus(cluster.client, cluster.namespace, user, {
    conditions: conditions as never,
    ...over,
  });
  const revision = metadata.resourceVersion;
  await eventually(() => api.informer.get(`${cluster.namespace}/${metadata.name}`)?.metadata.resourceVersion).toBe(
    revision,
  );
}

describe("diagnostics", () => {
  it("go from the credential to the model, and say when all is well", async () => {
    await using gateway = await startScriptedGateway((_req, res) => sendJson(res, 200, { ok: true, payload: {} }));
    await give("ann", { phase: "Ready", runtime: runtimeAt(api.config, gateway.origin) });
    const { healthy, checks, text } = await diagnose("ann");
    expect([healthy, unwell(checks)]).toEqual([true, {}]);
    expect(checks.map(({ link }) => link)).toEqual(
      "credential access cluster instance class config storage pod gateway call model".split(" "),
    );
    expect(checks[0]?.message).toContain("internal-key of human:ann");
    expect(gateway.seen).toHaveLength(1);
    // Neither where it is nor how to get in.
    expect(text).not.toContain(new URL(gateway.origin).host);
    expect(text).not.toContain(gateway.seen[0]?.headers.authorization?.slice("Bearer ".length) ?? "no token");
  });

  it("of somebody who has none say how to get one", async () => {
    const { healthy, checks } = await diagnose("nobody");
    expect(healthy).toBe(false);
    expect(unwell(checks)).toEqual({
      failed: ["instance"],
      skipped: "class config storage pod gateway call model".split(" "),
    });
    expect(checks.find(({ link }) => link === "instance")).toMatchObject({ next_step: "POST /api/openclaw/instance" });
  });

  it.each<[link: string, condition: string, reason: keyof typeof REASON]>([
    ["class", "ClassFound", "ClassNotFound"],
    ["config", "ConfigValid", "ConfigRejected"],
    ["storage", "StorageReady", "ClaimPending"],
    ["pod", "PodReady", "CrashLoop"],
    ["gateway", "GatewayReachable", "GatewaySilent"],
    ["model", "ModelConfigured", "ModelNotFound"],
  ])("name a broken %s in the operator's words, with what to do", async (link, condition, reason) => {
    const user = `broken-${link}`;
    await give(user, { phase: "Failed" }, { [condition]: [reason, `why ${link} is broken`] });
    const { healthy, checks } = await diagnose(user);
    expect(healthy).toBe(false);
    expect(unwell(checks)).toEqual({ failed: [link], skipped: ["call"] });
    expect(checks.find((check) => check.link === link)).toMatchObject({
      reason,
      message: `why ${link} is broken`,
      next_step: expect.stringMatching(/\w/),
    });
  });

  it("call the gateway themselves, and tell of one that is gone, a stranger or silent", async () => {
    const gone = await startScriptedGateway();
    await gone[Symbol.asyncDispose]();
    await give("gone", { phase: "Ready", runtime: runtimeAt(api.config, gone.origin) });
    const failed = async (user: string) => (await diagnose(user)).checks.find(({ status }) => status === "failed");
    expect(await failed("gone")).toMatchObject({ link: "call", reason: "instance_unreachable" });

    await using stranger = await startScriptedGateway((_req, res) =>
      sendJson(res, 401, { error: { type: "unauthorized" } }),
    );
    await give("moved", { phase: "Ready", runtime: runtimeAt(api.config, stranger.origin) });
    expect(await failed("moved")).toMatchObject({ link: "call", reason: "instance_moved" });

    await using silent = await startScriptedGateway(() => undefined);
    await give("silent", { phase: "Ready", runtime: runtimeAt(api.config, silent.origin) });
    expect(await failed("silent")).toMatchObject({ link: "call", reason: "gateway_timeout" });
  });

  it("of a stopped one say how to start it", async () => {
    await give("stopped", { phase: "Stopped" });
    const { checks } = await diagnose("stopped");
    expect(checks.find(({ link }) => link === "instance")).toMatchObject({ status: "failed", reason: "Stopped" });
  });

  it("go on with what was known last while Kubernetes is away, and say so", async () => {
    const proxy = await startFaultProxy(inject("kubeconfig"));
    const clock = new ManualClock(Date.now());
    await using own = await startApiOnCluster({
      access: proxy.access,
      namespace: cluster.namespace,
      postgresPort,
      clock,
    });
    await eventually(async () => unwell((await diagnose("broken-pod", own.url)).checks).failed).toEqual(["pod"]);
    proxy.inject({ kind: "reset" });
    proxy.resetConnections();
    await clock.advance(11_000);
    const { checks } = await diagnose("broken-pod", own.url);
    expect(unwell(checks).failed).toEqual(["cluster", "pod"]);
    // Not to be known is not to be none.
    const unknown = "instance class config storage pod gateway model".split(" ");
    const stranger = await diagnose("unheard-of", own.url);
    expect(unwell(stranger.checks)).toEqual({ failed: ["cluster"], unknown, skipped: ["call"] });
    expect(stranger.healthy).toBe(false);
    await proxy.close();
  });

  it.each([
    [403, "instance_forbidden"],
    [429, "cluster_busy"],
    [500, "cluster_unavailable"],
  ])("tell of an apiserver that answers %i to the last question", async (status, reason) => {
    const proxy = await startFaultProxy(inject("kubeconfig"));
    const clock = new ManualClock(Date.now());
    await using own = await startApiOnCluster({
      access: proxy.access,
      namespace: cluster.namespace,
      postgresPort,
      clock,
    });
    // Lists go through: the copy is proven good, and says that there is none.
    proxy.inject({ kind: "answer", status }, { match: ({ path }) => /openclawinstances\/oc-/.test(path) });
    await clock.advance(11_000);
    const { checks } = await diagnose("unheard-of", own.url);
    expect(checks.find(({ link }) => link === "cluster")).toMatchObject({ status: "failed", reason });
    await proxy.close();
  });
});
