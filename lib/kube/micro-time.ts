/**
 * RFC 3339 in UTC with exactly six fractional digits, as the apiserver demands of `metav1.MicroTime` (Lease times,
 * `eventTime`); three digits, which a serialised `Date` has, are refused.
 */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace("Z", "000Z");
}
