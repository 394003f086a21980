import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutManagedFields } from "./managed-fields.ts";

const managedFields = [{ manager: "m", fieldsV1: { 'k:{"uid":"1"}': {}, "f:a": { ".": {} }, "v:\\": {} } }];

/** The text without what is to be cut, done the long way. */
function without(object: { metadata: { managedFields?: unknown } }): string {
  const { managedFields: _cut, ...metadata } = object.metadata;
  return JSON.stringify({ ...object, metadata });
}

const key = fc.oneof(
  fc.constantFrom("metadata", "managedFields", "object", 'a"b', "\\", "{"),
  fc.string({ maxLength: 2 }),
);
const leaf = fc.oneof(fc.string({ maxLength: 3 }), fc.integer(), fc.boolean(), fc.constant(null));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    leaf,
    fc.array(tie("value"), { maxLength: 2 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
}));
const members = fc.dictionary(key, value, { maxKeys: 3 });

describe("managedFields", () => {
  it("are cut wherever they stand among metadata, and nothing else is", () => {
    const fields = fc.constantFrom({ managedFields }, {});
    fc.assert(
      fc.property(members, members, fields, members, members, (before, first, some, last, after) => {
        const { metadata: _metadata, ...rest } = after;
        const object = { ...before, metadata: { ...first, ...some, ...last }, ...rest };
        const text = JSON.stringify(object);
        expect(cutManagedFields(text)).toBe(without(object));
        const event = cutManagedFields(`{"type":"ADDED","object":${text}}`, ["object"]);
        expect(event).toBe(`{"type":"ADDED","object":${without(object)}}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [
      '{"metadata":{"name":"a","managedFields":[{}]},"spec":{"managedFields":[1]}}',
      '{"metadata":{"name":"a"},"spec":{"managedFields":[1]}}',
    ],
    ['{"metadata":{"managedFields":[],"name":"a"}}', '{"metadata":{"name":"a"}}'],
    ['{"metadata":{"managedFields":[{"a":"]"}]}}', '{"metadata":{}}'],
  ])("are cut from %s", (text, expected) => {
    expect(cutManagedFields(text)).toBe(expected);
  });

  it.each([
    "",
    "null",
    "[1]",
    '{"metadata":"managedFields"}',
    '{ "metadata": { "managedFields": [] } }',
    '{"metadata":{"managedFields":[{"a"',
    '{"metadata":{"a":"\\',
    '{"metadata"',
  ])("are left where the text is not what it should be: %s", (text) => {
    expect(cutManagedFields(text)).toBe(text);
  });
});
