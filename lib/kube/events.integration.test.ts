import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { type FaultProxy, startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { createEventRecorder, type EventInput, type EventRecorder } from "./events.ts";
import { CONFIG_MAPS, EVENTS, type Event, NAMESPACES } from "./resource.ts";
import type { KubeObject } from "./types.ts";

const CREATED: EventInput = {
  type: "Normal",
  reason: "PodCreated",
  note: "created pod openclaw-a",
  action: "CreatePod",
};

describe("event recorder", () => {
  let proxy: FaultProxy;
  let cluster: TestNamespace;
  let clock: ManualClock;
  let recorder: EventRecorder;
  let warnings: { msg: string }[];
  let subject: KubeObject;

  beforeAll(async () => {
    proxy = await startFaultProxy(inject("kubeconfig"));
    cluster = await createTestNamespace(proxy.access, "events");
  });

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await proxy.close();
  });

  beforeEach(async ({ task }) => {
    clock = new ManualClock();
    warnings = [];
    const log = pino({ level: "warn" }, { write: (line: string) => void warnings.push(JSON.parse(line)) });
    const source = { component: "example.com/operator", instanceName: "operator-0" };
    recorder = createEventRecorder({ client: cluster.client, clock, log, ...source });
    subject = await cluster.client.create(CONFIG_MAPS, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `subject-${task.id.replace(/[^a-z0-9]/g, "-")}`, namespace: cluster.namespace },
    });
  });

  /** What the apiserver holds about the subject. */
  async function stored(about: KubeObject = subject): Promise<Event[]> {
    const { items } = await cluster.client.list(EVENTS, { namespace: about.metadata.namespace ?? "default" });
    return items.filter((event) => event.regarding?.uid === about.metadata.uid);
  }

  /** Moves time until all is written: retries wait on the clock. */
  async function flushed(): Promise<void> {
    let done = false;
    const flush = recorder.flush().then(() => {
      done = true;
    });
    while (!done) await clock.advance(100);
    await flush;
  }

  it("writes an event that the apiserver accepts as it is", async () => {
    recorder.record(subject, CREATED);
    await recorder.flush();
    const [event, ...rest] = await stored();
    expect(rest).toEqual([]);
    expect(event).toMatchObject({
      eventTime: "2026-01-01T00:00:00.000000Z",
      type: "Normal",
      reason: "PodCreated",
      action: "CreatePod",
      note: "created pod openclaw-a",
      reportingController: "example.com/operator",
      reportingInstance: "operator-0",
      regarding: {
        apiVersion: "v1",
        kind: "ConfigMap",
        name: subject.metadata.name,
        namespace: cluster.namespace,
        uid: subject.metadata.uid,
        resourceVersion: subject.metadata.resourceVersion,
      },
    });
    expect(event?.series).toBeUndefined();
  });

  it("counts repetitions as a series on one event, and writes them together", async () => {
    recorder.record(subject, CREATED);
    await recorder.flush();
    await clock.advance(1_000);
    recorder.record(subject, CREATED);
    await recorder.flush();
    expect((await stored())[0]?.series).toEqual({ count: 2, lastObservedTime: "2026-01-01T00:00:01.000000Z" });

    const before = proxy.requests.length;
    for (let i = 0; i < 10; i++) {
      await clock.advance(1_000);
      recorder.record(subject, CREATED);
    }
    await clock.advance(1_000);
    expect(proxy.requests.length).toBe(before);
    await recorder.flush();
    expect(proxy.requests.length).toBe(before + 1);
    const events = await stored();
    expect(events).toHaveLength(1);
    expect(events[0]?.series).toEqual({ count: 12, lastObservedTime: "2026-01-01T00:00:11.000000Z" });
  });

  it("writes a series by itself once its pause is over, and then sends nothing more", async () => {
    for (let i = 0; i < 3; i++) recorder.record(subject, CREATED);
    await flushed();
    const patch = proxy.inject({ kind: "reset" }, { match: ({ method }) => method === "PATCH", times: 1 });
    recorder.record(subject, CREATED);
    recorder.record(subject, CREATED);
    await clock.advance(59_000);
    expect(patch.hits).toBe(0);
    await clock.advance(1_100);
    await patch.hit();
    await flushed();
    expect((await stored())[0]?.series?.count).toBe(5);
    const before = proxy.requests.length;
    await clock.advance(24 * 3_600_000);
    await stored();
    expect(proxy.requests.length).toBe(before + 1);
  });

  it("starts a new event for what comes back after a long pause", async () => {
    recorder.record(subject, CREATED);
    await recorder.flush();
    await clock.advance(12 * 60_000);
    recorder.record(subject, CREATED);
    await recorder.flush();
    expect((await stored()).map((event) => event.series)).toEqual([undefined, undefined]);
  });

  it("keeps different things apart", async () => {
    const other = await cluster.client.create(CONFIG_MAPS, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `${subject.metadata.name}-other`, namespace: cluster.namespace },
    });
    recorder.record(subject, CREATED);
    recorder.record(subject, { ...CREATED, note: "created pod openclaw-b" });
    recorder.record(subject, { ...CREATED, type: "Warning" });
    recorder.record(other, CREATED);
    await recorder.flush();
    expect(await stored()).toHaveLength(3);
    expect(await stored(other)).toHaveLength(1);
  });

  it("writes at most 25 times about one object in 5 minutes, and says so once it stops", async () => {
    for (let i = 0; i < 40; i++) recorder.record(subject, { ...CREATED, note: `created pod ${i}` });
    await recorder.flush();
    expect(await stored()).toHaveLength(25);
    expect(warnings.map(({ msg }) => msg)).toContain("too many events of one object");
    await clock.advance(5 * 60_000);
    recorder.record(subject, { ...CREATED, note: "created another" });
    await recorder.flush();
    expect(await stored()).toHaveLength(26);
  });

  it("cuts long texts at whole characters", async () => {
    recorder.record(subject, {
      type: "Warning",
      reason: "R".repeat(200),
      action: "A".repeat(200),
      note: "€".repeat(600),
    });
    await recorder.flush();
    const [event] = await stored();
    expect(event?.note).toBe(`${"€".repeat(340)}…`);
    expect(event?.reason).toHaveLength(126);
    expect(warnings).toEqual([]);
  });

  it("writes events of cluster-scoped objects to the default namespace", async () => {
    const namespace = await cluster.client.get(NAMESPACES, { name: cluster.namespace });
    if (!namespace) throw new Error("no namespace");
    recorder.record(namespace, CREATED);
    await recorder.flush();
    expect(await stored(namespace)).toHaveLength(1);
  });

  it("tries again after a failure that may pass", async () => {
    const match = ({ method }: { method: string }) => method === "POST";
    const fault = proxy.inject({ kind: "reset" }, { match, times: 1 });
    const second = proxy.inject({ kind: "answer", status: 500 }, { match, times: 1 });
    recorder.record(subject, CREATED);
    await flushed();
    expect([fault.hits, second.hits]).toEqual([1, 1]);
    expect(await stored()).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it("writes no second event when only the answer to the first was lost", async () => {
    const match = ({ method }: { method: string }) => method === "POST";
    const fault = proxy.inject({ kind: "lose-answer" }, { match, times: 1 });
    recorder.record(subject, CREATED);
    await flushed();
    expect(fault.hits).toBe(1);
    expect(await stored()).toHaveLength(1);
    expect(warnings).toEqual([]);
    recorder.record(subject, CREATED);
    await flushed();
    expect((await stored())[0]?.series?.count).toBe(2);
  });

  it("goes on in a new event when the apiserver has forgotten the first", async () => {
    recorder.record(subject, CREATED);
    await recorder.flush();
    const [first] = await stored();
    if (!first) throw new Error("no event");
    await cluster.client.delete(EVENTS, first.metadata as { name: string; namespace: string });
    recorder.record(subject, CREATED);
    await recorder.flush();
    const [second] = await stored();
    expect(second?.metadata.name).not.toBe(first.metadata.name);
    expect(second?.series?.count).toBe(2);
  });

  it("logs what the apiserver refuses, and goes on", async () => {
    const lost = { ...subject, metadata: { ...subject.metadata, namespace: "no-such-namespace" } };
    recorder.record(lost, { ...CREATED, note: "created pod elsewhere" });
    recorder.record(subject, CREATED);
    await recorder.flush();
    expect(warnings.map(({ msg }) => msg)).toEqual(["could not write an event; it is dropped"]);
    expect(await stored()).toHaveLength(1);
  });

  it("gives up on an apiserver that stays away, and lets a flush end by its signal", async () => {
    const fault = proxy.inject({ kind: "reset" }, { match: ({ method }) => method === "POST" });
    recorder.record(subject, CREATED);
    const enough = new AbortController();
    const flush = recorder.flush(enough.signal);
    await fault.hit();
    enough.abort();
    await flush;
    await flushed();
    fault.remove();
    expect(fault.hits).toBe(5);
    expect(warnings.map(({ msg }) => msg)).toEqual(["could not write an event; it is dropped"]);
    expect(await stored()).toEqual([]);
  });
});
