import type { Tenant } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { KeyRing } from "#lib/keys.ts";
import { type Freshness, unauthorized } from "../auth/authenticator.ts";
import type { Identity } from "../auth/identity.ts";
import { createRemembered } from "../auth/remembered.ts";
import { parseScopes } from "../auth/scopes.ts";
import type { Store } from "../store/store.ts";
import type { LastUse } from "./last-use.ts";
import { type CredentialScheme, hashSecret, isSecret, type SecretHash } from "./secret.ts";

/** Knows the credentials we made. */
export interface CredentialVerifier {
  /**
   * Whom a credential proves to be calling.
   * @throws ApiError 401 for one that is malformed, unknown, expired, revoked or of a disabled agent; StoreError.
   */
  verify(scheme: CredentialScheme, secret: string, freshness: Freshness): Promise<KnownIdentity>;
  /** Whom the credential with this stored hash proves; undefined when there is none that is good now. @throws StoreError */
  identify(scheme: CredentialScheme, hash: string): Promise<KnownIdentity | undefined>;
}

/** Of a credential that we made. */
export type KnownIdentity = Identity & { readonly credentialId: string };

interface Found {
  readonly identity: KnownIdentity;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Why it is not good, if it isn't. */
  readonly fault: string | undefined;
  /** The newest root key's hash, when it is not stored. */
  readonly missing: SecretHash | undefined;
}

/** Looks credentials up by their hashes; the comparing is Postgres' and of hashes nobody else can make, so its time tells nothing. */
export function createCredentialVerifier(o: {
  store: Pick<Store, "db">;
  keyRing: KeyRing;
  clock: Clock;
  lastUse: LastUse;
}): CredentialVerifier {
  const remembered = createRemembered<Found | undefined>(o.clock, (found) => found !== undefined && !found.fault);
  return {
    async verify(scheme, secret, freshness) {
      if (!isSecret(scheme, secret)) throw unauthorized(`malformed ${scheme}`);
      const hashes = hashSecret(o.keyRing, secret);
      const texts = hashes.map(({ hash }) => hash);
      const found = await remembered.get(hashes[0].hash, freshness, () => find(o.store.db, scheme, texts, hashes[0]));
      if (!found) throw unauthorized(`unknown ${scheme}`);
      const { identity, expiresAt, missing } = found;
      const now = o.clock.now();
      const fault = expiresAt <= now ? "expired" : found.fault;
      if (fault) throw unauthorized(`${scheme} ${identity.credentialId}: ${fault}`);
      o.lastUse.note({ credentialId: identity.credentialId, at: now, missing });
      return identity;
    },
    async identify(scheme, hash) {
      const found = await find(o.store.db, scheme, [hash]);
      return found && !found.fault && found.expiresAt > o.clock.now() ? found.identity : undefined;
    },
  };
}

async function find(
  db: Store["db"],
  scheme: CredentialScheme,
  hashes: readonly string[],
  newest?: SecretHash,
): Promise<Found | undefined> {
  const rows = await db
    .selectFrom("credential_hashes as h")
    .innerJoin("credentials as c", "c.id", "h.credential_id")
    .innerJoin("users as u", "u.tenant_key", "c.tenant_key")
    .leftJoin("agents as a", "a.tenant_key", "c.tenant_key")
    .leftJoin("users as o", "o.tenant_key", "a.owner")
    .where("h.hash", "in", hashes)
    .where("c.scheme", "=", scheme)
    .select(["c.id", "c.scopes", "c.expires_at", "c.revoked_at", "h.root_key_id"])
    .select(["u.kind", "u.user_id", "a.status", "o.user_id as owner_id"])
    .execute();
  const [row] = rows;
  if (!row) return undefined;
  const tenant: Tenant = { kind: row.kind === "agent" ? "Agent" : "Human", subject: row.user_id };
  const owner: Tenant | undefined = row.owner_id === null ? undefined : { kind: "Human", subject: row.owner_id };
  const scopes = parseScopes(row.scopes);
  return {
    identity: { scheme, tenant, scopes, credentialId: row.id, ...(owner ? { owner } : {}) },
    expiresAt: row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY,
    fault: faultOf(row),
    missing: rows.some(({ root_key_id }) => root_key_id === newest?.rootKeyId) ? undefined : newest,
  };
}

function faultOf(row: { kind: string; status: string | null; revoked_at: Date | null }): string | undefined {
  if (row.revoked_at) return "revoked";
  return row.kind === "agent" && row.status !== "active" ? "the agent is disabled" : undefined;
}
