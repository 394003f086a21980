import type * as z from "zod";

/** A validation that JSON schema cannot say: once as CEL for the apiserver and once as a function for zod. */
export interface Rule<T> {
  /** CEL expression over `self` (and `oldSelf`: then it is a transition rule, which only the apiserver can judge). */
  cel: string;
  /** What is wrong and what would be right. */
  message: string;
  /** The same judgement over a parsed value; left out for transition rules alone. */
  check?: (value: T) => boolean;
  /** Path of the field to blame, from the field the rule stands on. */
  path?: readonly string[];
}

/** The same rule as the CRD writes it. */
export interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
}

/**
 * Adds a rule to a schema, in both languages at once. Schemas use this instead of `refine`, which would silently be
 * missing from the CRD.
 * @throws TypeError when a rule that is no transition rule has no check, or the reverse.
 */
export function rule<S extends z.ZodType>(schema: S, { cel, message, check, path }: Rule<z.output<S>>): S {
  if (cel.includes("oldSelf") === (check !== undefined)) {
    throw new TypeError(`rule "${cel}" needs ${check ? "no check: it looks at oldSelf" : "a check"}`);
  }
  const parameters = { message, when: isSound, ...(path ? { path: [...path] } : {}) };
  const checked = check ? schema.refine(check, parameters) : schema;
  const meta = schema.meta() ?? {};
  const rules = (meta["x-kubernetes-validations"] ?? []) as CelRule[];
  const added: CelRule = { rule: cel, message, ...(path ? { fieldPath: `.${path.join(".")}` } : {}) };
  return checked.meta({ ...meta, "x-kubernetes-validations": [...rules, added] });
}

/** As in the apiserver, a rule judges only a value whose parts are all right. */
export function isSound(payload: { issues: readonly unknown[] }): boolean {
  return payload.issues.length === 0;
}

/** A value that may never change once it is set. */
export function immutable<S extends z.ZodType>(schema: S): S {
  return rule(schema, { cel: "self == oldSelf", message: "is immutable" });
}
