import { expect, it } from "vitest";
import type { Tenant } from "#crds/index.ts";
import { createAdmins, type Person } from "./admins.ts";

const human = (subject: string): Tenant => ({ kind: "Human", subject });
const admins = createAdmins({ userIds: ["Root"], emails: ["ann@example.org"], group: "platform" });

it.each<[string, Person, boolean]>([
  ["a user id", { tenant: human("Root") }, true],
  ["a user id in another case", { tenant: human("root") }, false],
  ["a verified address", { tenant: human("x"), email: "ann@example.org" }, true],
  ["another address", { tenant: human("x"), email: "bob@example.org" }, false],
  ["no address", { tenant: human("x"), email: null }, false],
  ["the group", { tenant: human("x"), groups: ["staff", "platform"] }, true],
  ["other groups", { tenant: human("x"), groups: ["staff"] }, false],
  ["an agent's id", { tenant: { kind: "Agent", subject: "Root" } }, false],
  [
    "an agent of that address and group",
    { tenant: { kind: "Agent", subject: "x" }, email: "ann@example.org", groups: ["platform"] },
    false,
  ],
])("%s: %s makes an admin? %s", (_name, person, isAdmin) => {
  expect(admins.has(person)).toBe(isAdmin);
});

it("there is none unless the configuration says so", () => {
  const none = createAdmins({ userIds: [], emails: [], group: undefined });
  for (const person of [{ tenant: human("") }, { tenant: human("root"), email: "", groups: ["", "undefined"] }]) {
    expect(none.has(person)).toBe(false);
  }
});
