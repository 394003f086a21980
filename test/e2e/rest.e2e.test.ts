import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLASSES, DEFAULT_CLASS } from "#crds/index.ts";
import { type AuditedRequest, readAuditLog } from "#test/harness/audit-log.ts";
import { connectSystem, type System } from "./system.ts";
import { User } from "./user.ts";

/** The window of the requirement: five idle minutes. */
const WINDOW_MS = 300_000;
const USERS = ["alice", "bob", "carol", "dave", "erin"];

let system: System;
beforeAll(async () => {
  system = await connectSystem();
  // One after the other: each start takes all the machine has.
  for (const id of USERS) await new User(system, id).ensureInstance();
  // The class tells of them a few seconds later, all at once.
  await system.until(CLASSES, { name: DEFAULT_CLASS }, (plan) => plan?.status?.ready === USERS.length);
});
afterAll(() => system[Symbol.asyncDispose]());

/** What keeps leadership and caches alive. */
function isRenewal({ verb, resource }: AuditedRequest): boolean {
  return verb === "watch" || (resource === "leases" && ["get", "update", "patch"].includes(verb));
}

describe("five instances at rest", () => {
  it(
    "cause no request but the renewals of leases and watches for five minutes",
    async () => {
      const from = Date.now();
      await pause(WINDOW_MS);
      const to = Date.now();
      const accounts = `system:serviceaccount:${system.namespace}:`;
      const ours = (await readAuditLog(system.auditLog)).filter(({ user, receivedAt }) => {
        const at = Date.parse(receivedAt);
        return user.startsWith(accounts) && at >= from && at <= to;
      });
      const others = ours.filter((entry) => !isRenewal(entry));
      expect(others.map(({ user, verb, resource, name }) => `${user} ${verb} ${resource} ${name}`)).toEqual([]);
      // A log that missed our requests would be empty as well.
      expect(ours.filter(({ resource }) => resource === "leases").length).toBeGreaterThan(10);
    },
    WINDOW_MS + 120_000,
  );
});
