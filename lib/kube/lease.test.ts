import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aborted } from "#lib/aborted.ts";
import { sleep } from "#lib/clock.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import type { KubeClient } from "./client.ts";
import { KubeError } from "./errors.ts";
import { runWithLease } from "./lease.ts";
import { type LeaseHealth, watchLeaseHealth } from "./lease-health.ts";
import type { Lease } from "./resource.ts";

const FORBIDDEN = new KubeError("GET leases/workers: 403 Forbidden", { status: 403, reason: "Forbidden" });

describe("a candidate for a lease", () => {
  let clock: ManualClock;
  let health: LeaseHealth;
  let stop: AbortController;
  let lines: { level: number; msg: string }[];
  let leadsAt: number | undefined;
  /** The Lease as the apiserver has it, or its refusal. */
  let stored: Lease | KubeError;
  let ended: Promise<unknown>;

  const heldBy = (holderIdentity: string): Lease => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "n", name: "workers" },
    spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: new Date(clock.now()).toISOString() },
  });

  /** Takes its time, so that it looks every 2.3 s. */
  const client = {
    async get() {
      await sleep(clock, 300);
      if (stored instanceof Error) throw stored;
      return stored;
    },
    async replace(_: unknown, lease: Lease) {
      stored = lease;
      return lease;
    },
  } as unknown as KubeClient;

  beforeEach(() => {
    clock = new ManualClock();
    health = watchLeaseHealth({ clock });
    stop = new AbortController();
    lines = [];
    leadsAt = undefined;
  });

  function start(): void {
    ended = runWithLease({
      client,
      namespace: "n",
      name: "workers",
      identity: "b",
      clock,
      health,
      log: pino({ level: "info" }, { write: (line: string) => lines.push(JSON.parse(line)) }),
      signal: stop.signal,
      async onStarted(lost) {
        leadsAt = clock.monotonic();
        await aborted(AbortSignal.any([lost, stop.signal]));
      },
    });
  }

  afterEach(async () => {
    stop.abort();
    await clock.advance(1_000);
    await ended;
    expect(clock.pending).toBe(0);
  });

  it("that is refused the lease is not well, and says so about once a minute", async () => {
    stored = FORBIDDEN;
    start();
    await clock.advance(15_000);
    expect(health.check()).toBeUndefined();
    await clock.advance(1_000);
    expect(health.check()).toBe("not to be had for 16 s: GET leases/workers: 403 Forbidden");
    await clock.advance(180_000);
    const said = lines.filter(({ msg }) => msg === "cannot get at the lease: GET leases/workers: 403 Forbidden");
    expect(said).toHaveLength(4);

    stored = heldBy("a");
    await clock.advance(3_000);
    expect(health.check()).toBeUndefined();
  });

  it("that stands by is well, and says so once", async () => {
    stored = heldBy("a");
    start();
    for (let seconds = 0; seconds < 300; seconds += 2) {
      await clock.advance(2_000);
      stored = heldBy("a");
    }
    expect(health.check()).toBeUndefined();
    expect(lines.map(({ msg }) => msg)).toEqual(["standing by: a leads"]);
  });

  it.each([
    ["at once", 11_790],
    ["a second later", 10_800],
    ["only when it looked again", 9_510],
  ])("takes over within the duration from a leader whose last renewal it saw %s", async (_, renewedAt) => {
    stored = heldBy("a");
    start();
    await clock.advance(renewedAt);
    stored = heldBy("a");
    await clock.advance(20_000);
    expect((leadsAt ?? Infinity) - renewedAt).toBeLessThanOrEqual(15_000);
    // The leader gives up 10 s after it last began to renew.
    expect((leadsAt ?? 0) - renewedAt).toBeGreaterThan(11_000);
  });
});
