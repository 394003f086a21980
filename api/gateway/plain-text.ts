import { shorten } from "#lib/shorten.ts";

/** Control characters, line separators, and what reorders the text around it. */
const DISTURBING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * What a stranger calls itself, fit to be shown beside a button: at most `max` characters on one line, in the order they are read.
 * Null for what is no text, or none after that.
 */
export function plainText(value: unknown, max = 256): string | null {
  if (typeof value !== "string") return null;
  // Cut before it is looked through: a stranger may call itself a megabyte.
  const text = shorten(value.slice(0, max * 4), max * 2)
    .toWellFormed()
    .replace(DISTURBING, " ")
    .trim();
  return text === "" ? null : shorten(text, max);
}
