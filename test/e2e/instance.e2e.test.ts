import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONDITION, GROUP, PHASE, VERSION } from "#crds/index.ts";
import { CommandError } from "#test/cluster/shell.ts";
import { connectSystem, type System } from "./system.ts";

let system: System;
beforeAll(async () => {
  system = await connectSystem();
});
afterAll(() => system[Symbol.asyncDispose]());

/** The least a person writes, and whatever a test adds. */
function manifest(name: string, more: object = {}): string {
  const metadata = { name, namespace: system.tenantNamespace };
  const spec = { owner: { subject: `subject-of-${name}` }, ...more };
  return JSON.stringify({ apiVersion: `${GROUP}/${VERSION}`, kind: "OpenClawInstance", metadata, spec });
}

async function refused(text: string): Promise<string> {
  const error = await system.machine.apply(text).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CommandError)) throw new Error("was not refused", { cause: error });
  return error.stderr;
}

describe("an instance applied with kubectl", () => {
  const name = `claw-${randomUUID().slice(0, 8)}`;

  it("becomes ready with nothing but its owner's subject", async () => {
    await system.machine.apply(manifest(name));
    const instance = await system.instanceUntil(name, ({ status }) => status?.phase === PHASE.Ready);
    const conditions = instance.status?.conditions ?? [];
    expect(conditions.filter(({ status }) => status !== "True")).toEqual([]);
    expect(conditions.map(({ type }) => type)).toContain(CONDITION.Ready);
    expect(instance.status?.runtime).toMatchObject({
      name: `openclaw-${name}`,
      slot: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it("is shown with owner, class, phase, ready, reason, version and age", async () => {
    const [head = "", row = ""] = (await system.kubectl("get", "claw", name)).split("\n");
    expect(head.split(/\s{2,}/).map((title) => title.trim())).toEqual([
      "NAME",
      "OWNER",
      "CLASS",
      "PHASE",
      "READY",
      "REASON",
      "VERSION",
      "AGE",
    ]);
    expect(row.split(/\s{2,}/).slice(0, 5)).toEqual([name, `subject-of-${name}`, "standard", "Ready", "True"]);
    expect(row).toMatch(/\s2026\.9\.6\s/);
  });

  it("leaves nothing but its volume when it is deleted", async () => {
    await system.kubectl("delete", "claw", name, "--timeout=120s");
    const kinds = "pods,secrets,configmaps,services,persistentvolumeclaims,networkpolicies";
    const selector = `${GROUP}/instance=${name}`;
    await system.kubectl("wait", "--for=delete", "pod", "--selector", selector, "--timeout=120s");
    const left = await system.kubectl("get", kinds, "--selector", selector, "--output", "name");
    expect(left.trim()).toBe(`persistentvolumeclaim/openclaw-${name}`);
    await system.kubectl("delete", "persistentvolumeclaim", `openclaw-${name}`);
  });
});

describe("a wrong instance", () => {
  it.each([
    [{ ownr: {} }, ".spec.ownr"],
    [{ runPolicy: "Sometimes" }, "spec.runPolicy"],
    [{ storage: { size: "big" } }, "spec.storage.size"],
    [{ owner: {} }, "spec.owner.subject"],
  ])("with %j is refused by the name of the field", async (fields, named) => {
    expect(await refused(manifest("wrong", fields))).toContain(named);
  });

  it("of a class that does not exist says so and what to do", async () => {
    const name = `claw-${randomUUID().slice(0, 8)}`;
    await system.machine.apply(manifest(name, { className: "no-such-plan" }));
    const { status } = await system.instanceUntil(name, (instance) => instance.status?.failure !== undefined);
    expect(status?.failure).toMatchObject({
      reason: "ClassNotFound",
      message: expect.stringContaining("no-such-plan"),
    });
    await system.kubectl("delete", "claw", name, "--timeout=120s");
  });
});
