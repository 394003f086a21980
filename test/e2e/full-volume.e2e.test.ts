import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectTold } from "./sandbox.ts";
import { connectSystem, type System } from "./system.ts";
import { User } from "./user.ts";

let system: System;
beforeAll(async () => {
  system = await connectSystem();
});
afterAll(() => system[Symbol.asyncDispose]());

describe("a full volume", () => {
  it("is told of, and OpenClaw works again by itself once there is room", async () => {
    const user = new User(system, `hoarder-${randomUUID().slice(0, 8)}`);
    const runtime = await user.ensureInstance();
    const name = runtime.replace(/^openclaw-/, "");
    const session = randomUUID();
    expect(await user.say("before", session)).toBe("echo[1]: before");
    const inPod = (script: string) => system.kubectl("exec", runtime, "--", "sh", "-c", script);
    await inPod("dd if=/dev/zero of=/data/hoard bs=1M 2>/dev/null; cat /dev/zero >> /data/hoard 2>/dev/null; true");

    const full = await system.instanceUntil(name, ({ status }) => status?.failure?.reason === "StorageFull");
    expect(full.status).toMatchObject({ phase: "Failed", failure: { step: "storage" } });
    const place = { namespace: system.tenantNamespace, name };
    await expectTold(system, place, "StorageFull", /The volume is full: \d+ MiB of \d+ MiB are used.*storage\.size/);
    // What OpenClaw does now is why it has to start anew later.
    await expect(user.say("meanwhile", randomUUID())).rejects.toThrow();

    await inPod("rm /data/hoard");
    const { startedAt, podUID } = full.status?.runtime ?? {};
    const again = await system.instanceUntil(
      name,
      ({ status }) => status?.phase === "Ready" && status.runtime?.startedAt !== startedAt,
    );
    expect(again.status?.runtime?.podUID).toBe(podUID);
    expect(await user.say("after", session)).toBe("echo[2]: after");
    expect((await user.call("DELETE", "/api/openclaw/instance")).status).toBeLessThan(300);
  });
});
