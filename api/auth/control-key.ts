import { secretsEqual } from "#lib/keys.ts";
import { type DistinctHeaders, unauthorized } from "./authenticator.ts";

/** Header of the key of the internal listener. */
export const CONTROL_KEY_HEADER = "x-oa-control-key";

/** Lets in who holds the control key. Needs `keysReady()`. @throws ApiError 401 */
export function requireControlKey(headers: DistinctHeaders, key: string | undefined): void {
  const [given = "", ...more] = headers[CONTROL_KEY_HEADER] ?? [];
  if (key !== undefined && more.length === 0 && secretsEqual(given, key)) return;
  throw unauthorized("wrong or missing control key");
}
