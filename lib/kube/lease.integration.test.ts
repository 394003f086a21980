import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { aborted } from "#lib/aborted.ts";
import { systemClock } from "#lib/clock.ts";
import { Child } from "#test/harness/child.ts";
import { type FaultProxy, startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { type LeaseOptions, runWithLease } from "./lease.ts";
import { LEASES } from "./resource.ts";

/** Nobody waits out a lease of this length within a test. */
const HOUR_MS = 3_600_000;
const PATIENT = { durationMs: 2 * HOUR_MS, renewDeadlineMs: HOUR_MS, retryMs: 20 };
const SHORT = { durationMs: 2_000, renewDeadlineMs: 1_000, retryMs: 100 };

describe("runWithLease", () => {
  let proxy: FaultProxy;
  let cluster: TestNamespace;
  let stop: AbortController;
  let count = 0;
  let name: string;

  beforeAll(async () => {
    proxy = await startFaultProxy(inject("kubeconfig"));
    cluster = await createTestNamespace(proxy.access, "leader");
  });

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await proxy.close();
  });

  beforeEach(() => {
    name = `lease-${++count}`;
    stop = new AbortController();
  });

  afterEach(() => stop.abort());

  /** A candidate whose work lasts until it is told to stop or has lost the lead. */
  function candidate(identity: string, o: Partial<LeaseOptions> = {}) {
    const { client, namespace } = cluster;
    const leading = Promise.withResolvers<AbortSignal>();
    const end = new AbortController();
    const registry = new Registry();
    const result = runWithLease({
      client,
      namespace,
      name,
      identity,
      registry,
      clock: systemClock,
      log: pino({ level: "silent" }),
      signal: AbortSignal.any([end.signal, stop.signal]),
      async onStarted(lost) {
        leading.resolve(lost);
        await aborted(AbortSignal.any([lost, end.signal, stop.signal]));
      },
      ...PATIENT,
      ...o,
    });
    const isMaster = async () => (await registry.metrics()).includes(`leader_election_master_status{name="${name}"} 1`);
    return { leading: leading.promise, result, stop: () => end.abort(), isMaster };
  }

  async function holder(): Promise<string | undefined> {
    return (await cluster.client.get(LEASES, { namespace: cluster.namespace, name }))?.spec?.holderIdentity;
  }

  const leaseWrites = () => proxy.requests.filter(({ method, path }) => method !== "GET" && path.includes(name));

  it("hands over at once when the leader ends in good order", async () => {
    const a = candidate("a");
    await a.leading;
    const b = candidate("b");
    expect([await a.isMaster(), await b.isMaster()]).toEqual([true, false]);
    a.stop();
    expect(await a.result).toBe("released");
    await b.leading;
    expect(await holder()).toBe("b");
    expect([await a.isMaster(), await b.isMaster()]).toEqual([false, true]);
    b.stop();
    expect(await b.result).toBe("released");
    expect(await holder()).toBeUndefined();
  });

  it("renews while the work winds down, and releases only after it", async () => {
    const winding = Promise.withResolvers<void>();
    const a = candidate("a", {
      async onStarted() {
        await aborted(stop.signal);
        await winding.promise;
      },
    });
    const began = proxy.inject({ kind: "answer", status: 500 }, { match: ({ method }) => method === "PUT", times: 1 });
    await began.hit();
    stop.abort();
    const renewals = proxy.inject({ kind: "reset" }, { match: ({ method }) => method === "PUT", times: 2 });
    await renewals.hit(2);
    expect(await holder()).toBe("a");
    winding.resolve();
    expect(await a.result).toBe("released");
    expect(await holder()).toBeUndefined();
  });

  it("takes over from a leader that was frozen, which on waking finds itself deposed", async () => {
    const frozen = new Child(
      `
      import { pino } from "pino";
      import { systemClock } from "#lib/clock.ts";
      import { createKubeClient } from "#lib/kube/client.ts";
      import { loadKubeAccess } from "#lib/kube/config.ts";
      import { runWithLease } from "#lib/kube/lease.ts";
      const log = pino({ level: "silent" });
      const client = createKubeClient({ config: loadKubeAccess(process.env.KUBECONFIG), userAgent: "test", log });
      const keepAlive = setInterval(() => {}, 1e6);
      const result = await runWithLease({
        client, log, clock: systemClock, identity: "frozen", ...JSON.parse(process.env.LEASE),
        signal: new AbortController().signal,
        async onStarted(lost) {
          say("leading");
          await new Promise((go) => lost.addEventListener("abort", go));
        },
      });
      say(result);
      clearInterval(keepAlive);
      await client.close();`,
      {
        KUBECONFIG: inject("kubeconfig"),
        LEASE: JSON.stringify({ namespace: cluster.namespace, name, ...SHORT }),
      },
    );
    try {
      await frozen.line("leading");
      const b = candidate("b", SHORT);
      frozen.kill("SIGSTOP");
      await b.leading;
      expect(await holder()).toBe("b");
      frozen.kill("SIGCONT");
      await frozen.line("lost");
      expect(await frozen.exited).toMatchObject({ code: 0, err: "" });
      expect(await holder()).toBe("b");
      b.stop();
      expect(await b.result).toBe("released");
    } finally {
      frozen.kill("SIGKILL");
    }
  });

  it("gives the lead up when it cannot renew in time, before anybody else may take it", async () => {
    const a = candidate("a", SHORT);
    const lost = await a.leading;
    const fault = proxy.inject({ kind: "silence" }, { match: ({ path }) => path.includes(name) });
    await aborted(lost);
    expect(String(lost.reason)).toContain(`lost the lease ${cluster.namespace}/${name}: not renewed for 1000 ms`);
    fault.remove();
    expect(await a.result).toBe("lost");
    expect(await a.isMaster()).toBe(false);
    expect(await holder()).toBe("a");
  });

  it("outlasts failures shorter than the deadline", async () => {
    const a = candidate("a");
    const lost = await a.leading;
    const fault = proxy.inject({ kind: "reset" }, { match: ({ path }) => path.includes(name), times: 4 });
    await fault.hit(4);
    const after = leaseWrites().length;
    const renewed = proxy.inject(
      { kind: "answer", status: 500 },
      { match: ({ path }) => path.includes(name), times: 1 },
    );
    await renewed.hit();
    expect(leaseWrites().length).toBeGreaterThan(after);
    expect(lost.aborted).toBe(false);
    a.stop();
    expect(await a.result).toBe("released");
  });

  it("loses the lead to somebody who took the lease over by force", async () => {
    const a = candidate("a");
    const lost = await a.leading;
    await cluster.client.mergePatch(LEASES, { ...cluster, name }, { spec: { holderIdentity: "thief" } });
    await aborted(lost);
    expect(String(lost.reason)).toContain("thief holds it");
    expect(await a.result).toBe("lost");
    expect(await holder()).toBe("thief");
  });

  it("writes nothing as a standby that is told to stop", async () => {
    const a = candidate("a");
    await a.leading;
    const looked = proxy.inject({ kind: "answer", status: 500 }, { match: ({ method }) => method === "GET", times: 1 });
    const b = candidate("b");
    await looked.hit();
    b.stop();
    expect(await b.result).toBe("released");
    expect(await holder()).toBe("a");
  });

  it("releases the lease when the work fails, and passes the failure on", async () => {
    const a = candidate("a", { onStarted: () => Promise.reject(new Error("no such table")) });
    await expect(a.result).rejects.toThrow("no such table");
    expect(await holder()).toBeUndefined();
  });

  it("waits for an apiserver that is away", async () => {
    const fault = proxy.inject({ kind: "reset" }, { match: ({ path }) => path.includes(name) });
    const a = candidate("a");
    await fault.hit(3);
    fault.remove();
    await a.leading;
    a.stop();
    expect(await a.result).toBe("released");
  });

  it("refuses durations that do not fit each other", async () => {
    const odd = { durationMs: 10_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
    await expect(candidate("a", odd).result).rejects.toThrow("> renewDeadline > retry");
  });
});
