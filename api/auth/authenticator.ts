import type { Tenant } from "#crds/index.ts";
import { ApiError } from "../errors.ts";

/** Request headers with each occurrence apart (`IncomingMessage.headersDistinct`), so that a doubled credential is seen. */
export type DistinctHeaders = Readonly<Record<string, string[] | undefined>>;

/** One way to prove who calls. */
export interface Authenticator {
  readonly scheme: string;
  /**
   * The tenant its credential proves; undefined when the request carries no credential of this scheme.
   * @throws ApiError 401 when the credential is there and wrong: no other scheme is asked then.
   */
  authenticate(headers: DistinctHeaders): Promise<Tenant | undefined>;
}

/**
 * Asks each scheme in order; the first whose credential is present decides.
 * @throws ApiError 401 when none is present.
 */
export async function authenticate(schemes: readonly Authenticator[], headers: DistinctHeaders): Promise<Tenant> {
  for (const scheme of schemes) {
    const tenant = await scheme.authenticate(headers);
    if (tenant) return tenant;
  }
  throw new ApiError("unauthorized", "unauthorized", { logReason: "no credential" });
}
