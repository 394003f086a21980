import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AMOUNT_PATTERN, amountUsd, MAX_AMOUNT_MICRO_USD, parseUsd, toUsd } from "./money.ts";

/** The decimal text of micro-dollars, made without any arithmetic of numbers. */
function textOf(micro: bigint): string {
  const digits = String(micro < 0n ? -micro : micro).padStart(7, "0");
  return `${micro < 0n ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

const amounts = fc.bigInt({ min: -MAX_AMOUNT_MICRO_USD, max: MAX_AMOUNT_MICRO_USD }).filter((micro) => micro !== 0n);
/** Every balance there can be. */
const balances = fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n });

describe("an amount", () => {
  it("is read exactly, as a string and as a number of JSON", () => {
    fc.assert(
      fc.property(amounts, (micro) => {
        const text = textOf(micro);
        expect(parseUsd(text)).toBe(micro);
        expect(parseUsd(JSON.parse(text) as number)).toBe(micro);
      }),
    );
  });

  it("as a string is what its schema's pattern says", () => {
    const pattern = new RegExp(AMOUNT_PATTERN);
    const near = fc.stringMatching(/^-?\d{1,8}(\.\d{0,7})?$/);
    const edges = fc.constantFrom(
      "0",
      "-0",
      "0.000000",
      "1000000",
      "1000000.000001",
      "1000000.0",
      "999999.999999",
      "01",
      ".5",
      "",
    );
    fc.assert(
      fc.property(fc.oneof(near, edges, fc.string()), (text) => {
        expect(pattern.test(text), text).toBe(parseUsd(text) !== undefined);
      }),
    );
  });

  it("comes back as it went out", () => {
    fc.assert(
      fc.property(amounts, (micro) => {
        expect(parseUsd(JSON.parse(JSON.stringify(toUsd(micro))) as number)).toBe(micro);
      }),
    );
  });

  it("is told as a number with the very digits, up to the largest balance", () => {
    fc.assert(
      fc.property(balances, (micro) => {
        const shortest = textOf(micro)
          .replace(/(\.\d*?)0+$/, "$1")
          .replace(/\.$/, "");
        expect(JSON.stringify(toUsd(micro))).toBe(shortest);
      }),
    );
  });

  it.each<[unknown, bigint]>([
    [1, 1_000_000n],
    ["1.5", 1_500_000n],
    [0.1, 100_000n],
    [0.000001, 1n],
    ["0.000001", 1n],
    [-2.5, -2_500_000n],
    ["-0.10", -100_000n],
    [1e3, 1_000_000_000n],
    [1_000_000, MAX_AMOUNT_MICRO_USD],
  ])("%j is %d micro-dollars", (given, micro) => {
    expect(amountUsd.parse(given)).toBe(micro);
  });

  it.each([
    0.1 + 0.2,
    1.1 * 3,
    0.0000001,
    "0.0000001",
    "1.0000000",
    0,
    -0,
    "0",
    "-0.000000",
    1_000_000.000001,
    -1_000_001,
    1e21,
    "1e3",
    "+1",
    ".5",
    "1.",
    "01",
    " 1",
    "1 ",
    "1,5",
    "0x10",
    "",
    "Infinity",
    "١",
    "1\n",
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    true,
    [1],
    { amount: 1 },
    "9".repeat(40),
  ])("%j is refused, not rounded", (given) => {
    const { success, error } = amountUsd.safeParse(given);
    expect(success).toBe(false);
    expect(error?.issues).toHaveLength(1);
  });
});
