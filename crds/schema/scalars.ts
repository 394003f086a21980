import { isIPv4, isIPv6 } from "node:net";
import * as z from "zod";
import { isSound, rule } from "./rule.ts";

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;
const IMAGE = /^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$/;
const DATE_TIME = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$/;
const TOKEN = /^[A-Za-z0-9_.:-]+$/;

/** Names of instances and classes: children are called `openclaw-<name>`, and a class's name is a label's value. */
export const NAME_MAX = 50;

/** A DNS label (lower-case letters, digits, dashes). */
export function dnsLabel(max = 63): z.ZodString {
  return z.string().max(max).regex(DNS_LABEL, "is not a DNS label (lower-case letters, digits and dashes)");
}

/** The name of a cluster object that may hold dots. */
export function dnsSubdomain(): z.ZodString {
  return z
    .string()
    .max(253)
    .regex(DNS_SUBDOMAIN, "is not a DNS subdomain (lower-case letters, digits, dashes and dots)");
}

/** A container image, by tag or digest. */
export function imageReference(): z.ZodString {
  return z.string().max(512).regex(IMAGE, "is not an image reference");
}

/** Letters, digits and `_.:-`, e.g. the name of a tool. */
export function token(max: number): z.ZodString {
  return z.string().max(max).regex(TOKEN, "may hold letters, digits and _ . : - only");
}

/** A moment, RFC 3339 with a time zone. */
export function dateTime(): z.ZodString {
  return z
    .string()
    .max(40)
    .regex(DATE_TIME, "is not an RFC 3339 date-time with a time zone")
    .refine(isRealDate, { message: "is not a date of the calendar", when: isSound })
    .meta({ format: "date-time" });
}

/** `Date.parse` alone rolls 30 February over into March. */
function isRealDate(text: string): boolean {
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(Date.parse(text)) && day.toISOString().startsWith(text.slice(0, 10));
}

/**
 * A block of addresses, e.g. `203.0.113.0/24`. Link-local ranges are refused unless asked for: the node's metadata service
 * lives there.
 */
export function cidr({ linkLocal = false } = {}): z.ZodString {
  const block = rule(z.string().max(43), {
    cel: "isCIDR(self)",
    message: "is not a CIDR such as 203.0.113.0/24",
    check: isCidr,
  });
  if (linkLocal) return block;
  return rule(block, {
    cel: "!isCIDR(self) || !(self.startsWith('169.254.') || self.lowerAscii().startsWith('fe80:'))",
    message: "is link-local: instances never reach the metadata service",
    check: (text) => !/^(169\.254\.|fe80:)/i.test(text),
  });
}

function isCidr(text: string): boolean {
  const [address = "", bits = "", ...rest] = text.split("/");
  const limit = isIPv4(address) ? 32 : isIPv6(address) && !address.includes(".") && !address.includes("%") ? 128 : -1;
  return rest.length === 0 && /^(0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= limit;
}

/** A TCP port. */
export function port(): z.ZodInt {
  return z.int().min(1).max(65_535);
}
