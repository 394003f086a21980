import * as z from "zod";

/** Digits alone: `Number` would also take spaces, `0x10`, `1e2` and nothing at all. */
const DIGITS = /^(?:0|[1-9]\d{0,14})$/;

function parseDigits(text: unknown): unknown {
  return typeof text === "string" && DIGITS.test(text) ? Number(text) : text;
}

function bounded(min: number, max: number) {
  const error = ({ code }: { code: string }) => (code === "invalid_type" ? "expected a whole number" : undefined);
  return z.int({ error }).min(min).max(max);
}

/** A whole number in a query. */
export function wholeNumber(min: number, max: number) {
  return z.preprocess(parseDigits, bounded(min, max));
}

/** A whole number in a query that may be left out. */
export function wholeNumberOr(preset: number, min: number, max: number) {
  return z.preprocess(parseDigits, bounded(min, max).default(preset));
}

const YES = ["true", "1", "yes", "on"] as const;
const NO = ["false", "0", "no", "off"] as const;

/** Yes or no in a query. */
export const flag = z.enum([...YES, ...NO]).transform((word) => (YES as readonly string[]).includes(word));
