import * as z from "zod";

/** Micro-dollars of a dollar. */
const MICRO = 1_000_000;
const DECIMALS = 6;
const MAX_AMOUNT_USD = 1_000_000;

/** Largest amount of one entry, micro-dollars. */
export const MAX_AMOUNT_MICRO_USD = BigInt(MAX_AMOUNT_USD) * BigInt(MICRO);

/** A number of JSON is taken by its shortest decimal text, which is the one that was sent for up to 15 digits. */
const DECIMAL = /^(-?)(0|[1-9]\d{0,6})(?:\.(\d{1,6}))?$/;

/** The texts that {@link parseUsd} takes, for those who read the schema alone. */
export const AMOUNT_PATTERN = String.raw`^-?(?!0(?:\.0{1,6})?$)(?:(?:0|[1-9]\d{0,5})(?:\.\d{1,6})?|1000000(?:\.0{1,6})?)$`;

/** What an amount has to be. */
const EXPECTED = `expected US dollars with at most ${DECIMALS} decimals, at most ${MAX_AMOUNT_USD}, not 0`;

/**
 * An amount of US dollars on the wire, as micro-dollars: a number, or a string such as `-12.345678`. Never rounded: what has more
 * than six decimals is refused, the 0.30000000000000004 of adding 0.1 and 0.2 among it.
 */
export const amountUsd = z
  .union(
    [
      z.number().meta({ minimum: -MAX_AMOUNT_USD, maximum: MAX_AMOUNT_USD, not: { const: 0 } }),
      z.string().max(32).meta({ pattern: AMOUNT_PATTERN }),
    ],
    { error: EXPECTED },
  )
  .describe(
    `US dollars, a number or a decimal string; at most ${DECIMALS} decimals, 0 < |amount| <= ${MAX_AMOUNT_USD}.`,
  )
  .transform((given, context) => {
    const amount = parseUsd(given);
    if (amount !== undefined) return amount;
    context.addIssue({ code: "custom", message: `${EXPECTED}; where sums have more, round them or send a string` });
    return z.NEVER;
  });

/** Micro-dollars of an amount, exactly; undefined for what is 0, has more than six decimals or is out of range. */
export function parseUsd(given: number | string): bigint | undefined {
  const [, sign, whole = "", fraction = ""] = DECIMAL.exec(String(given)) ?? [];
  if (sign === undefined) return undefined;
  const size = BigInt(whole + fraction.padEnd(DECIMALS, "0"));
  if (size === 0n || size > MAX_AMOUNT_MICRO_USD) return undefined;
  return sign === "-" ? -size : size;
}

/**
 * Micro-dollars as a number of US dollars whose decimal text is exact: below a billion dollars, the bound of every balance, its
 * digits fit into the 15 of a double.
 */
export function toUsd(microUsd: bigint): number {
  return Number(microUsd) / MICRO;
}
