import { describe, expect, it } from "vitest";
import { canonicalJson } from "./canonical-json.ts";

describe("canonical JSON", () => {
  it("is equal for equal content, whatever the order of keys, at any depth", () => {
    const [one, other] = [
      { b: [{ y: 1, x: null }], a: "text" },
      { a: "text", b: [{ x: null, y: 1 }] },
    ];
    expect(canonicalJson(one)).toBe('{"a":"text","b":[{"x":null,"y":1}]}');
    expect(canonicalJson(other)).toBe(canonicalJson(one));
  });

  it("keeps the order of lists", () => {
    expect(canonicalJson([2, 1])).not.toBe(canonicalJson([1, 2]));
  });

  it("leaves undefined out, and changes nothing of what it is given", () => {
    const given = { b: undefined, a: [undefined, 1] };
    expect([canonicalJson(given), canonicalJson(undefined)]).toEqual(['{"a":[null,1]}', "null"]);
    expect(Object.keys(given)).toEqual(["b", "a"]);
  });

  it("has every key, also one that objects have of their own", () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"b":1,"a":2},"c":3}'))).toBe('{"__proto__":{"a":2,"b":1},"c":3}');
  });
});
