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

/** Decides who may use the system at all, and as an admin. */
export interface AccessGate {
  /**
   * The verdict on somebody who is let in.
   * @throws ApiError 403 when the caller is not let in; StoreError when Postgres can't be asked.
   */
  check(identity: Identity, freshness: Freshness): Promise<AccessStatus>;
  /** The verdict whatever it is, always found anew. @throws StoreError */
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
 *
 * An API token carries neither address nor groups: its owner's address is the one on record, and groups count only for whoever
 * comes with them.
 */
export function createAccessGate(o: {
  store: Pick<Store, "db">;
  mode: (typeof ACCESS_MODES)[number];
  admins: Admins;
  clock: Clock;
}): AccessGate {
  const remembered = createRemembered<AccessStatus>(o.clock, ({ allowed }) => allowed);

  async function explain({ tenant, owner, email, groups }: Identity): Promise<AccessStatus> {
    const [own, ofOwner] = await Promise.all([
      judge({ tenant, email, groups }),
      owner ? judge({ tenant: owner }) : undefined,
    ]);
    const { isAdmin } = own;
    const isShutOut = own.userAccess === false || ofOwner?.userAccess === false;
    const isLetIn = o.mode === "open" || isWelcome(own) || (ofOwner !== undefined && isWelcome(ofOwner));
    return { ...own, isAdmin, allowed: isLetIn && !isShutOut };
  }

  async function judge(person: Pick<Identity, "tenant"> & { email?: string | undefined; groups?: Identity["groups"] }) {
    const admission = await admissionOf(o.store.db, person.tenant, person.email);
    return { ...admission, isAdmin: o.admins.has({ ...person, email: admission.email }) };
  }

  return {
    explain,
    async check(identity, freshness) {
      const status = await remembered.get(rememberedKey(identity), freshness, () => explain(identity));
      if (status.allowed) return status;
      throw new ApiError("access_denied", "access denied");
    },
  };
}

/**
 * The verdict on what acts for a caller when they are not there: it gets in as they do, but for their groups.
 * @throws ApiError 403 when groups alone let the caller in; StoreError.
 */
export async function requireLastingAccess(
  gate: Pick<AccessGate, "explain">,
  { groups: _left, ...identity }: Identity,
): Promise<AccessStatus> {
  const status = await gate.explain(identity);
  if (status.allowed) return status;
  throw new ApiError(
    "access_denied",
    "access denied: you are let in as a member of a group, which no token or key is: have an admin enable your user first",
  );
}

function isWelcome({ isAdmin, userAccess, waitlistEntry }: Admission & { isAdmin: boolean }): boolean {
  return isAdmin || userAccess === true || waitlistEntry?.approved === true;
}

/** Verdicts differ by what the credential says beside who it is of. */
function rememberedKey({ tenant, owner, email, groups }: Identity): string {
  const who = (one: Tenant | undefined) => (one ? tenantKey(one) : "");
  return JSON.stringify([who(tenant), who(owner), email ?? "", groups ?? []]);
}
