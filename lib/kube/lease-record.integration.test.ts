import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { type FaultProxy, startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { LeaseRecord } from "./lease-record.ts";
import { microTime } from "./micro-time.ts";
import { LEASES, type Lease } from "./resource.ts";

const DURATION_MS = 15_000;

describe("lease record", () => {
  let proxy: FaultProxy;
  let cluster: TestNamespace;
  let count = 0;
  let name: string;

  beforeAll(async () => {
    proxy = await startFaultProxy(inject("kubeconfig"));
    cluster = await createTestNamespace(proxy.access, "lease");
  });

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await proxy.close();
  });

  beforeEach(() => {
    name = `lease-${++count}`;
  });

  function candidate(identity: string, clock = new ManualClock()): { record: LeaseRecord; clock: ManualClock } {
    const { client, namespace } = cluster;
    return { record: new LeaseRecord({ client, namespace, name, identity, durationMs: DURATION_MS, clock }), clock };
  }

  async function stored(): Promise<Lease> {
    const lease = await cluster.client.get(LEASES, { namespace: cluster.namespace, name });
    if (!lease) throw new Error(`no lease ${name}`);
    return lease;
  }

  it("writes the record as client-go does", async () => {
    const a = candidate("a");
    expect(await a.record.tryHold({})).toBe(true);
    expect((await stored()).spec).toEqual({
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:00:00.000000Z",
      leaseTransitions: 0,
    });
    await a.clock.advance(2_345);
    expect(await a.record.tryHold({})).toBe(true);
    expect((await stored()).spec).toMatchObject({
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:00:02.345000Z",
      leaseTransitions: 0,
    });
  });

  it("passes on only when the record did not change for its duration", async () => {
    const [a, b] = [candidate("a"), candidate("b")];
    expect(await a.record.tryHold({})).toBe(true);
    expect(await b.record.tryHold({})).toBe(false);
    expect(b.record.holder).toBe("a");
    await b.clock.advance(DURATION_MS - 1);
    await a.clock.advance(2_000);
    expect(await a.record.tryHold({})).toBe(true);
    expect(await b.record.tryHold({})).toBe(false);
    await b.clock.advance(DURATION_MS - 1);
    expect(await b.record.tryHold({})).toBe(false);
    await b.clock.advance(1);
    expect(await b.record.tryHold({})).toBe(true);
    expect((await stored()).spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 1 });
    expect(await a.record.tryHold({})).toBe(false);
    expect(a.record.holder).toBe("b");
  });

  it.each([
    ["behind by an hour", -3_600_000],
    ["ahead by an hour", 3_600_000],
  ])("does not mind a holder whose clock is %s", async (_, skewMs) => {
    const b = candidate("b");
    const odd = microTime(b.clock.now() + skewMs);
    await cluster.client.create(LEASES, {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { namespace: cluster.namespace, name },
      spec: { holderIdentity: "a", leaseDurationSeconds: 15, acquireTime: odd, renewTime: odd, leaseTransitions: 7 },
    });
    expect(await b.record.tryHold({})).toBe(false);
    await b.clock.advance(DURATION_MS - 1);
    expect(await b.record.tryHold({})).toBe(false);
    await b.clock.advance(1);
    expect(await b.record.tryHold({})).toBe(true);
    expect((await stored()).spec?.leaseTransitions).toBe(8);
  });

  it("goes by the duration in the record, not by its own", async () => {
    const patient = new LeaseRecord({ ...cluster, name, identity: "a", durationMs: 60_000, clock: new ManualClock() });
    const b = candidate("b");
    await patient.tryHold({});
    expect(await b.record.tryHold({})).toBe(false);
    await b.clock.advance(59_999);
    expect(await b.record.tryHold({})).toBe(false);
    await b.clock.advance(1);
    expect(await b.record.tryHold({})).toBe(true);
  });

  it("lets one of several candidates win, at birth and after", async () => {
    const all = Array.from({ length: 6 }, (_, i) => candidate(`c${i}`));
    const first = await Promise.all(all.map(({ record }) => record.tryHold({})));
    expect(first.filter(Boolean)).toHaveLength(1);
    await Promise.all(all.map(({ record }) => record.tryHold({})));
    const rest = all.filter((_, i) => !first[i]);
    for (const { clock } of rest) await clock.advance(DURATION_MS);
    const second = await Promise.all(rest.map(({ record }) => record.tryHold({})));
    expect(second.filter(Boolean)).toHaveLength(1);
    expect((await stored()).spec?.leaseTransitions).toBe(1);
  });

  it("is free at once when released, but only its holder can release it", async () => {
    const [a, b, c] = [candidate("a"), candidate("b"), candidate("c")];
    await a.record.tryHold({});
    await b.record.tryHold({});
    await b.record.release({});
    expect((await stored()).spec?.holderIdentity).toBe("a");
    await a.record.release({});
    const { spec } = await stored();
    expect(spec).toMatchObject({ leaseDurationSeconds: 1, leaseTransitions: 0 });
    expect(spec?.holderIdentity).toBeUndefined();
    expect(a.clock.pending).toBe(0);
    expect(await c.record.tryHold({})).toBe(true);
    expect((await stored()).spec).toMatchObject({ holderIdentity: "c", leaseDurationSeconds: 15, leaseTransitions: 1 });
  });

  it("keeps the lease when somebody else only writes beside it, which does not count as a sign of life", async () => {
    const [a, b] = [candidate("a"), candidate("b")];
    const note = (text: string) =>
      cluster.client.mergePatch(LEASES, { ...cluster, name }, { metadata: { annotations: { note: text } } });
    await a.record.tryHold({});
    await b.record.tryHold({});
    await note("one");
    expect(await a.record.tryHold({})).toBe(true);
    expect((await stored()).metadata.annotations).toEqual({ note: "one" });
    await b.record.tryHold({});
    await b.clock.advance(DURATION_MS - 1);
    await note("two");
    expect(await b.record.tryHold({})).toBe(false);
    await b.clock.advance(1);
    expect(await b.record.tryHold({})).toBe(true);
  });

  it("makes the lease anew when it was deleted", async () => {
    const a = candidate("a");
    await a.record.tryHold({});
    await cluster.client.delete(LEASES, { namespace: cluster.namespace, name });
    expect(await a.record.tryHold({})).toBe(true);
    expect((await stored()).spec?.holderIdentity).toBe("a");
  });

  it("recognises its own write whose answer was lost", async () => {
    const a = candidate("a");
    await a.record.tryHold({});
    const fault = proxy.inject({ kind: "lose-answer" }, { match: ({ method }) => method === "PUT", times: 1 });
    await expect(a.record.tryHold({})).rejects.toMatchObject({ status: 0 });
    expect(fault.hits).toBe(1);
    expect(await a.record.tryHold({})).toBe(true);
    expect((await stored()).spec?.leaseTransitions).toBe(0);
  });
});
