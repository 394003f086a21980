import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { countAsked, countReads, countWrites, tailAudit } from "./audit-tail.ts";

function event(verb: string, resource: string, code = 200, o: { stage?: string; userAgent?: string } = {}): string {
  const [plural, subresource] = resource.split("/");
  const { stage = "ResponseComplete", userAgent = "op/1 (linux)" } = o;
  const objectRef = { resource: plural, ...(subresource ? { subresource } : {}) };
  return JSON.stringify({ kind: "Event", stage, verb, userAgent, objectRef, responseStatus: { code } });
}

describe("what a client asked", () => {
  it("is counted by verb and resource, and by no other's requests", () => {
    const lines = [
      event("patch", "pods", 201),
      event("patch", "pods", 409),
      event("patch", "openclawinstances/status"),
      event("create", "pods", 201, { userAgent: "kubectl/op/1" }),
      event("get", "pods", 404),
    ];
    expect(countAsked(lines, "op/")).toEqual({
      requests: { "patch pods": 2, "patch openclawinstances/status": 1, "get pods": 1 },
      conflicts: 1,
      refused: 1,
    });
  });

  it("counts a watch once, when it begins", () => {
    const lines = [event("watch", "pods", 200, { stage: "ResponseStarted" }), event("watch", "pods")];
    expect(countAsked(lines, "op/").requests).toEqual({ "watch pods": 1 });
  });

  it("tells writes from reads, and counts neither leases nor watches", () => {
    const requests = {
      "update leases": 5,
      "get leases": 1,
      "watch pods": 8,
      "list pods": 2,
      "get secrets": 1,
      "patch pods": 3,
      "delete pods": 1,
    };
    expect([countWrites(requests), countReads(requests)]).toEqual([4, 3]);
  });
});

describe("the tail of an audit log", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "audit-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  it("gives each request once, to the piece of time it belongs to", async () => {
    const path = join(dir, "audit.log");
    await writeFile(path, `${event("list", "pods")}\n`);
    const tail = await tailAudit(path);
    await appendFile(path, `${event("patch", "pods")}\n`);
    expect((await tail.take("op/")).requests).toEqual({ "patch pods": 1 });
    expect((await tail.take("op/")).requests).toEqual({});
    await appendFile(path, `${event("delete", "pods")}\n${event("delete", "pods")}\n`);
    expect((await tail.take("op/")).requests).toEqual({ "delete pods": 2 });
    const whole = `${event("patch", "secrets")}\n`;
    await appendFile(path, whole.slice(0, 20));
    expect((await tail.take("op/")).requests).toEqual({});
    await appendFile(path, whole.slice(20));
    expect((await tail.take("op/")).requests).toEqual({ "patch secrets": 1 });
  });
});
