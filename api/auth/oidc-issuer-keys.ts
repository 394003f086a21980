import * as z from "zod";
import { type Clock, sleep } from "#lib/clock.ts";
import { createBackoff } from "#lib/kube/backoff.ts";
import type { Logger } from "#lib/log.ts";
import { ApiError } from "../errors.ts";
import type { FetchDocument } from "./oidc-document.ts";
import type { OidcIssuer } from "./oidc-issuers.ts";
import { type KeyHint, type KeySet, readKeySet, type VerificationKey } from "./oidc-key-set.ts";

/** Tokens with keys nobody knows make an issuer be asked no more often than this: anybody can invent a key's id. */
export const COOLDOWN_MS = 10_000;
/** Keys are used this long while their issuer is away; no token that it signed before that is good any more by default. */
export const USABLE_MS = 24 * 3600 * 1000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.string().max(2048) });

/** The keys of one issuer, as it publishes them. */
export interface IssuerKeys {
  /**
   * The key a token was signed with; undefined when the issuer has none such.
   * @throws ApiError 503 when the issuer would have to be asked and can't be.
   */
  find(hint: KeyHint): Promise<VerificationKey | undefined>;
  /** Whether the issuer still has the key, as far as is known. */
  holds(thumbprint: string): boolean;
  /** What is wrong, in words without a secret; undefined while its keys are known and fresh. Asks nobody. */
  fault(): string | undefined;
  /** Fetches the keys now and again until the signal aborts. Never throws: an outage is to be lived through. */
  run(signal: AbortSignal): Promise<void>;
}

/** What the keys of an issuer are fetched with. */
export interface IssuerKeysOptions {
  readonly issuer: OidcIssuer;
  readonly refreshMs: number;
  readonly fetchDocument: FetchDocument;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: (isUp: boolean) => void;
  /** In [0, 1). */
  readonly random: () => number;
}

/** The keys of an issuer; nothing is fetched before the first use or `run`. */
export function createIssuerKeys(o: IssuerKeysOptions): IssuerKeys {
  const { issuer, clock } = o;
  let known: { keys: KeySet; at: number } | undefined;
  let fault: string | undefined = "its keys were not fetched yet";
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  function judge(found: string | undefined): void {
    o.onChange(found === undefined);
    if (found === fault) return;
    fault = found;
    if (found === undefined) o.log.info({ issuer: issuer.issuer }, "the issuer's keys are known");
    else o.log.warn({ issuer: issuer.issuer, fault }, "the issuer's keys cannot be had");
  }

  async function ask(signal?: AbortSignal): Promise<void> {
    askedAt = clock.monotonic();
    try {
      const at = askedAt;
      const keys = await fetchKeys(issuer, o.fetchDocument, signal);
      // An issuer that withdrew all its keys is obeyed; but that nobody can sign in is a fault of it, not of its users.
      known = { keys, at };
      judge(keys.size === 0 ? "it has no key that signatures can be verified with" : undefined);
    } catch (error) {
      if (!signal?.aborted) judge((error as Error).message);
    }
  }

  /** Never rejects; those who come while it is asked wait for the same answer. */
  function refresh(signal?: AbortSignal): Promise<void> {
    asking ??= ask(signal).finally(() => {
      asking = undefined;
    });
    return asking;
  }

  function usable(): KeySet | undefined {
    return known && clock.monotonic() - known.at <= USABLE_MS ? known.keys : undefined;
  }

  return {
    async find(hint) {
      const found = usable()?.find(hint);
      if (found) return found;
      if (asking || clock.monotonic() - askedAt >= COOLDOWN_MS) await refresh();
      const later = usable()?.find(hint);
      if (later) return later;
      // The key may be one that is new while the issuer is away: that is not to be told from one that never was.
      if (fault === undefined) return undefined;
      throw new ApiError("issuer_unavailable", "the identity provider cannot be reached", {
        retryAfterSeconds: Math.max(1, Math.ceil((askedAt + COOLDOWN_MS - clock.monotonic()) / 1000)),
        logReason: `issuer unavailable: ${issuer.issuer}: ${fault}`,
      });
    },
    holds: (thumbprint) => usable()?.has(thumbprint) ?? false,
    fault: () => fault,
    async run(signal) {
      const backoff = createBackoff({
        firstMs: FIRST_RETRY_MS,
        maxMs: MAX_RETRY_MS,
        resetAfterMs: o.refreshMs,
        clock,
        random: o.random,
      });
      while (!signal.aborted) {
        await refresh(signal);
        await sleep(clock, fault === undefined ? o.refreshMs : Math.min(backoff.next(), o.refreshMs), signal);
      }
    },
  };
}

async function fetchKeys(issuer: OidcIssuer, fetchDocument: FetchDocument, signal?: AbortSignal): Promise<KeySet> {
  const url = issuer.jwksUri ?? (await discoverKeys(issuer, fetchDocument, signal));
  const document = await fetchDocument(url, signal);
  return readKeySet(document).catch((cause: unknown) => {
    throw new Error(`${url}: ${(cause as Error).message}`, { cause });
  });
}

/** Where the issuer says that its keys are. One that calls itself otherwise may be somebody else's (OIDC Discovery, 4.3). */
async function discoverKeys(issuer: OidcIssuer, fetchDocument: FetchDocument, signal?: AbortSignal): Promise<string> {
  const url = `${issuer.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  const { data } = discoverySchema.safeParse(await fetchDocument(url, signal));
  if (!data) throw new Error(`${url}: is no discovery document with issuer and jwks_uri`);
  if (data.issuer !== issuer.issuer) throw new Error(`${url}: is of another issuer`);
  const keysAt = URL.canParse(data.jwks_uri) ? new URL(data.jwks_uri) : undefined;
  if (keysAt?.protocol === "https:" || (keysAt?.protocol === "http:" && issuer.plainHttp)) return keysAt.href;
  throw new Error(`${url}: its jwks_uri is not an https URL`);
}
