import type { Transaction } from "kysely";
import { unauthorized } from "../auth/authenticator.ts";
import type { Identity } from "../auth/identity.ts";
import type { Scope } from "../auth/scopes.ts";
import { ApiError } from "../errors.ts";
import type { Tables } from "../store/tables.ts";
import { CREDENTIAL_SCHEMES } from "./secret.ts";

/** What a new credential may do, until when, and which credential answers for it. */
export interface Grant {
  readonly scopes: readonly Scope[];
  readonly expiresAt: Date | null;
  /** Id of the credential it is made with; null = its maker came in person. */
  readonly madeWith: string | null;
}

/** What the maker of a credential asks for. */
export interface GrantRequest {
  /** The maker is an admin, and so is whoever comes with the credential. */
  readonly mayBeAdmin: boolean;
  /** Absent = these of `usual` that the maker has. */
  readonly scopes: readonly Scope[] | undefined;
  readonly usual: readonly Scope[];
  /** Milliseconds since the epoch; absent = as long as the maker's own credential. */
  readonly expiresAt: number | undefined;
}

/**
 * What a caller may give to a credential: no scope that the caller lacks, and no longer life than the credential it is made with. The
 * caller's row in `users` has to be locked, so that this credential is not revoked meanwhile.
 * @throws ApiError 400 for a time that is past or too late, 401 when the caller's credential has just been revoked, 403 for a scope;
 * StoreError.
 */
export async function resolveGrant(
  trx: Transaction<Tables>,
  identity: Identity,
  request: GrantRequest,
  now: number,
): Promise<Grant> {
  if (request.scopes?.includes("admin") && !request.mayBeAdmin) {
    throw new ApiError("admin_required", "scopes: admin is for admins by user id or e-mail address");
  }
  const lacking = (request.scopes ?? []).filter((scope) => !identity.scopes.has(scope));
  if (lacking.length > 0) {
    throw new ApiError("insufficient_scope", `the credential lacks ${lacking.join(", ")}, so it cannot give it`);
  }
  const scopes = request.scopes ?? request.usual.filter((scope) => identity.scopes.has(scope));
  if (scopes.length === 0) throw new ApiError("insufficient_scope", "the credential has no scope that it could give");
  if (request.expiresAt !== undefined && request.expiresAt <= now) throw badExpiry("is in the past");
  const maker = await makerOf(trx, identity);
  const latest = maker?.expires_at?.getTime() ?? Number.POSITIVE_INFINITY;
  if ((request.expiresAt ?? 0) > latest) throw badExpiry("is later than the end of the credential it is made with");
  const end = request.expiresAt ?? latest;
  return {
    scopes: [...new Set(scopes)],
    expiresAt: Number.isFinite(end) ? new Date(end) : null,
    madeWith: maker?.id ?? null,
  };
}

/** The caller's own credential, where it is one that we made. */
async function makerOf(trx: Transaction<Tables>, { scheme, credentialId }: Identity) {
  if (credentialId === undefined || !CREDENTIAL_SCHEMES.some((own) => own === scheme)) return undefined;
  const maker = await trx
    .selectFrom("credentials")
    .select(["id", "expires_at", "revoked_at"])
    .where("id", "=", credentialId)
    .executeTakeFirst();
  if (!maker || maker.revoked_at) throw unauthorized(`${scheme} ${credentialId}: revoked`);
  return maker;
}

function badExpiry(fault: string): ApiError {
  return new ApiError("invalid_request", `expires_at: ${fault}`, { step: "validate" });
}
