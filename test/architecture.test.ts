import { describe, expect, it } from "vitest";
import { findViolations, readSources } from "./architecture.ts";

/** The ways to import; built from parts, so that this file itself breaks no rule. */
const FORMS: readonly ((specifier: string) => string)[] = [
  (specifier) => `import { x } from "${specifier}";`,
  (specifier) => `import type { X } from '${specifier}';`,
  (specifier) => `import {\n  x,\n  y,\n} from "${specifier}";`,
  (specifier) => `import "${specifier}";`,
  (specifier) => `export * from "${specifier}";`,
  (specifier) => `const { x } = await import("${specifier}");`,
];

describe("architecture", () => {
  it("holds in every source file", () => {
    const sources = readSources();
    const folders = new Set(sources.map(({ path }) => path.split("/")[0]));
    expect([...folders]).toEqual(expect.arrayContaining(["lib", "crds", "operator", "api", "test"]));
    expect(sources.flatMap(findViolations)).toEqual([]);
  });

  it.each([
    ["lib/a.ts", "#crds/x.ts", "lib must not know crds"],
    ["lib/kube/a.ts", "#test/harness/x.ts", "only tests"],
    ["lib/kube/a.ts", "../../operator/x.ts", "across folders"],
    ["lib/a.ts", "../operator/x.ts", "lib must not know operator"],
    ["lib/a.test.ts", "../api/x.ts", "lib must not know api"],
    ["crds/a.ts", "../operator/x.ts", "crds must not know operator"],
    ["crds/schema/a.ts", "#lib/../api/x.ts", "crds must not know api"],
    ["operator/a.ts", "../api/x.ts", "operator must not know api"],
    ["operator/a.ts", "../test/x.ts", "only tests"],
    ["api/a.ts", "../operator/x.ts", "api must not know operator"],
    ["api/routes/a.ts", "#operator/x.ts", "api must not know operator"],
    ["api/a.ts", "#test/x.ts", "only tests"],
    ["api/routes/a.ts", "../../lib/x.ts", "across folders"],
    ["test/e2e/a.ts", "../../lib/x.ts", "across folders"],
  ])("finds that %s imports %s", (path, specifier, fault) => {
    for (const form of FORMS) {
      const text = form(specifier);
      expect(findViolations({ path, text }), text).toEqual([expect.stringContaining(fault)]);
    }
  });

  it.each([
    ["lib/kube/a.ts", ["#lib/x.ts", "pino", "./z.ts", "../w.ts", "node:fs"]],
    ["lib/kube/a.test.ts", ["#test/harness/manual-clock.ts"]],
    ["crds/a.ts", ["#lib/x.ts"]],
    ["operator/instance/a.ts", ["../build/x.ts", "#crds/y.ts", "#lib/z.ts"]],
    ["api/a.ts", ["#crds/x.ts", "@kubernetes/client-node"]],
    ["test/e2e/a.ts", ["#lib/x.ts", "../up/y.ts"]],
    ["bundle.ts", ["./lib/x.ts"]],
  ])("has nothing against %s importing %j", (path, specifiers) => {
    const text = specifiers.flatMap((specifier) => FORMS.map((form) => form(specifier))).join("\n");
    expect(findViolations({ path, text })).toEqual([]);
  });

  it.each([
    ["lib/a.ts", 300],
    ["test/a.test.ts", 400],
  ])("counts the lines of %s up to %d", (path, limit) => {
    const lines = (count: number) => ({ path, text: "\n".repeat(count) });
    expect(findViolations(lines(limit))).toEqual([]);
    expect(findViolations(lines(limit + 1))).toEqual([`${path}: ${limit + 1} lines, more than ${limit}`]);
  });
});
