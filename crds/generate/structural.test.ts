import { describe, expect, it } from "vitest";
import * as z from "zod";
import { atomicList, dictionary, openObject, uniqueList } from "../schema/collections.ts";
import { quantitySchema } from "../schema/quantity.ts";
import { rule } from "../schema/rule.ts";
import { type JsonSchema, toStructural } from "./structural.ts";

function convert(field: z.ZodType): JsonSchema {
  const schema = z.strictObject({ f: field }).describe("x");
  const json = z.toJSONSchema(schema, { target: "openapi-3.0", io: "input", reused: "inline" }) as JsonSchema;
  return (toStructural(json, "K.spec").properties as { f: JsonSchema }).f;
}

describe("what a CRD can hold", () => {
  const word = z.string().max(9).describe("w");

  it.each<[string, z.ZodType, object]>([
    ["an integer", z.int().describe("n"), { type: "integer", format: "int64", description: "n" }],
    ["a small integer", z.int32().describe("n"), { type: "integer", format: "int32", description: "n" }],
    [
      "a bounded integer with a default",
      z.int().min(1).max(9).default(3).describe("n"),
      { type: "integer", format: "int32", minimum: 1, maximum: 9, default: 3, description: "n" },
    ],
    ["a word list", z.enum(["A", "B"]).describe("e"), { type: "string", enum: ["A", "B"], description: "e" }],
    [
      "a described object, without additionalProperties",
      z.strictObject({ a: word }).describe("o"),
      {
        type: "object",
        required: ["a"],
        properties: { a: { type: "string", maxLength: 9, description: "w" } },
        description: "o",
      },
    ],
    [
      "an open object",
      openObject(4).describe("o"),
      { type: "object", maxProperties: 4, "x-kubernetes-preserve-unknown-fields": true, description: "o" },
    ],
    [
      "a map",
      dictionary(word, 4).describe("m"),
      {
        type: "object",
        maxProperties: 4,
        additionalProperties: { type: "string", maxLength: 9, description: "w" },
        description: "m",
      },
    ],
    [
      "a set",
      uniqueList(word, 4).describe("s"),
      {
        type: "array",
        maxItems: 4,
        "x-kubernetes-list-type": "set",
        items: { type: "string", maxLength: 9, description: "w" },
        description: "s",
      },
    ],
    [
      "a rule, beside its field",
      rule(word, { cel: "self != 'x'", message: "is x", check: (text) => text !== "x" }).describe("r"),
      {
        type: "string",
        maxLength: 9,
        description: "r",
        "x-kubernetes-validations": [{ rule: "self != 'x'", message: "is x" }],
      },
    ],
  ])("%s", (_, field, expected) => {
    expect(convert(field)).toEqual(expected);
  });

  it("an int-or-string, with the limits of both sorts beside the union", () => {
    expect(convert(quantitySchema.describe("q"))).toEqual({
      anyOf: [{ type: "integer" }, { type: "string" }],
      "x-kubernetes-int-or-string": true,
      minimum: 0,
      maximum: 999_999_999,
      maxLength: 16,
      pattern: expect.stringContaining("Ki"),
      description: "q",
    });
  });
});

describe("what it cannot, refused with the path", () => {
  const some = z.string().max(3).describe("s");

  it.each<[string, z.ZodType, string]>([
    ["no description", z.string().max(3), "K.spec.f: has no description"],
    ["a string without maximum", z.string().describe("s"), "K.spec.f: a string needs a maxLength"],
    ["a list without maximum", z.array(some).describe("l").meta({ "x-kubernetes-list-type": "atomic" }), "maxItems"],
    ["a list without list type", z.array(some).max(3).describe("l"), "x-kubernetes-list-type"],
    ["a list of nothing in particular", atomicList(z.unknown(), 3).describe("l"), "K.spec.f[]"],
    ["a map without maximum", z.record(z.string(), some).describe("m"), "maxProperties"],
    ["an open object without maximum", z.looseObject({}).describe("m"), "maxProperties"],
    ["a bad value in a map", dictionary(z.string().max(3), 3).describe("m"), "K.spec.f.*: has no description"],
    ["an object of nothing", z.strictObject({}).describe("o"), "properties"],
    ["a union without a tag", z.union([some, z.boolean()]).describe("u"), '"anyOf"'],
    [
      "a union with a tag",
      z
        .discriminatedUnion("t", [z.strictObject({ t: z.literal("a") }), z.strictObject({ t: z.literal("b") })])
        .describe("u"),
      '"oneOf"',
    ],
    ["a tuple", z.tuple([some, some]).describe("t"), "a list needs an x-kubernetes-list-type"],
    ["anything at all", z.unknown().describe("a"), 'type "any"'],
    ["a fraction", z.number().describe("n"), 'type "number"'],
    ["null", some.nullable(), '"nullable"'],
    ["an exclusive bound", z.int().gt(3).describe("n"), '"exclusiveMinimum"'],
    ["a format the apiserver does not know", z.email().max(9).describe("e"), 'format "email"'],
    [
      "look-ahead",
      z
        .string()
        .max(3)
        .regex(/^(?!a)/)
        .describe("s"),
      "is not RE2",
    ],
    ["a back-reference", z.string().max(3).regex(/(a)\1/).describe("s"), "is not RE2"],
    ["an unknown keyword", some.meta({ "x-colour": "red" }), '"x-colour"'],
  ])("%s", (_, field, message) => {
    expect(() => convert(field)).toThrow(message);
  });

  it("names the whole path of a field deep inside", () => {
    const deep = z
      .strictObject({ a: atomicList(z.strictObject({ b: z.string() }).describe("o"), 3).describe("l") })
      .describe("o");
    expect(() => convert(deep)).toThrow("K.spec.f.a[].b: has no description");
  });
});
