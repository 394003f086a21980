import { pino } from "pino";
import { expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import type { KubeClient } from "./client.ts";
import { KubeError } from "./errors.ts";
import { createEventRecorder } from "./events.ts";
import type { KubeObject } from "./types.ts";

it("an event is tried again only when an overloaded apiserver wants it to be", async () => {
  const clock = new ManualClock();
  const at: number[] = [];
  const client = {
    async create(_: unknown, event: KubeObject) {
      at.push(clock.monotonic());
      if (at.length > 1) return event;
      throw new KubeError("POST events: 429", { status: 429, reason: "TooManyRequests", retryAfterMs: 60_000 });
    },
  } as unknown as KubeClient;
  const log = pino({ level: "silent" });
  const recorder = createEventRecorder({ client, clock, log, component: "test", instanceName: "test-0" });
  const subject = { apiVersion: "v1", kind: "Pod", metadata: { name: "a", namespace: "n", uid: "u" } };
  recorder.record(subject, { type: "Normal", reason: "Created", note: "created", action: "Create" });
  await clock.advance(59_999);
  expect(at).toEqual([0]);
  await clock.advance(1);
  expect(at).toEqual([0, 60_000]);
});
