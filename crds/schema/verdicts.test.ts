import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { VERDICT_CASES } from "../verdict-cases.fixture.ts";
import { classSchema, instanceSchema } from "./objects.ts";

const SCHEMAS = { OpenClawInstance: instanceSchema, OpenClawClass: classSchema };

describe.each(["OpenClawInstance", "OpenClawClass"] as const)("%s", (kind) => {
  it.each(VERDICT_CASES.filter((row) => row.kind === kind))("$what", ({ object, refused }) => {
    const blamed = SCHEMAS[kind].safeParse(object).error?.issues.flatMap(fields);
    if (refused === undefined) expect(blamed).toBeUndefined();
    else expect(blamed).toContain(refused);
  });
});

/** Fields an issue blames, written as the apiserver writes them. */
function fields(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? String(step) : `${text}.${String(step)}`;
  }, "");
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => `${path}.${key}`) : [path];
}
