import { type Tenant, tenantKey } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { Freshness } from "../auth/authenticator.ts";
import type { Identity } from "../auth/identity.ts";
import { createRemembered } from "../auth/remembered.ts";
import { ApiError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import type { Admins } from "./admins.ts";
import { type Admission, admissionOf } from "./users.ts";

/** Whether everybody with a credential is let in, or those alone whom an admin let in. */
export const ACCESS_MODES = ["approved", "open"] as const;

/** Decides who may use the system at all. */
export interface AccessGate {
  /** @throws ApiError 403 when the caller is not let in; StoreError when Postgres can't be asked. */
  check(identity: Identity, freshness: Freshness): Promise<void>;
  /** The same decision with its reasons, always asked anew. @throws StoreError */
  explain(identity: Identity): Promise<AccessStatus>;
}

/** Why somebody is let in or not. */
export interface AccessStatus extends Admission {
  readonly allowed: boolean;
  readonly isAdmin: boolean;
}

/**
 * The gate. Somebody an admin shut out stays out; else admins get in, whom an admin enabled, whose verified e-mail address is
 * approved on the waitlist, and in mode `open` everybody. An agent gets in with its owner, unless it is shut out itself.
 */
export function createAccessGate(o: {
  store: Pick<Store, "db">;
  mode: (typeof ACCESS_MODES)[number];
  admins: Admins;
  clock: Clock;
}): AccessGate {
  const remembered = createRemembered<boolean>(o.clock, (allowed) => allowed);

  async function explain(identity: Identity): Promise<AccessStatus> {
    const isAdmin = o.admins.has(identity);
    const own = await admissionOf(o.store.db, identity.tenant, identity.email);
    const owner = identity.owner && (await admissionOf(o.store.db, identity.owner));
    const shutOut = own.userAccess === false || owner?.userAccess === false;
    const letIn =
      isAdmin || o.mode === "open" || [own, owner].some((found) => found?.userAccess || found?.waitlistApproved);
    return { ...own, isAdmin, allowed: letIn && !shutOut };
  }

  return {
    explain,
    async check(identity, freshness) {
      const key = rememberedKey(identity);
      if (await remembered.get(key, freshness, async () => (await explain(identity)).allowed)) return;
      throw new ApiError("access_denied", "access denied");
    },
  };
}

/** Verdicts differ by what the credential says beside who it is of. */
function rememberedKey({ tenant, owner, email, groups }: Identity): string {
  const who = (one: Tenant | undefined) => (one ? tenantKey(one) : "");
  return JSON.stringify([who(tenant), who(owner), email ?? "", groups ?? []]);
}
