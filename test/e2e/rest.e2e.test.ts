import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLASSES, DEFAULT_CLASS } from "#crds/index.ts";
import { type AuditEntry, readAudit } from "./audit-log.ts";
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
function isRenewal({ verb, objectRef }: AuditEntry): boolean {
  return (
    verb === "watch" || (objectRef?.resource === "leases" && (verb === "get" || verb === "update" || verb === "patch"))
  );
}

describe("five instances at rest", () => {
  it(
    "cause no request but the renewals of leases and watches for five minutes",
    async () => {
      const from = new Date();
      await pause(WINDOW_MS);
      const to = new Date();
      const accounts = `system:serviceaccount:${system.namespace}:`;
      const ours = (await readAudit(system.auditLog, from, to)).filter(({ user }) =>
        user.username.startsWith(accounts),
      );
      const others = ours.filter((entry) => !isRenewal(entry));
      expect(others.map(({ verb, requestURI, user }) => `${user.username} ${verb} ${requestURI}`)).toEqual([]);
      // A log that missed our requests would be empty as well.
      expect(ours.filter(({ objectRef }) => objectRef?.resource === "leases").length).toBeGreaterThan(10);
    },
    WINDOW_MS + 120_000,
  );
});
