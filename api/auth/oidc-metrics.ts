import { Counter, Gauge, type Registry } from "prom-client";
import type { Scheme } from "./identity.ts";
import { REFUSAL_REASONS, type RefusalReason } from "./oidc-refusal.ts";

/** What sign-in counts. */
export interface OidcMetrics {
  refused(reason: RefusalReason): void;
  /** Whether an issuer's keys could be had when they were last asked for. */
  up(issuer: string, isUp: boolean): void;
}

const SCHEME: Scheme = "oidc";

/** Sign-in's metrics in this registry; refusals begin at 0, so that the first one is seen as a rise. */
export function createOidcMetrics(registry: Registry): OidcMetrics {
  const refusals = new Counter({
    name: "hatchery_auth_refusals_total",
    help: "Credentials that were refused, by scheme and reason.",
    labelNames: ["scheme", "reason"],
    registers: [registry],
  });
  const issuerUp = new Gauge({
    name: "hatchery_oidc_issuer_up",
    help: "1 while an issuer's keys can be fetched; the last ones are used meanwhile.",
    labelNames: ["issuer"],
    registers: [registry],
  });
  const labels = (reason: RefusalReason) => ({ scheme: SCHEME, reason: reason.replaceAll(" ", "_") });
  for (const reason of REFUSAL_REASONS) refusals.inc(labels(reason), 0);
  return {
    refused: (reason) => refusals.inc(labels(reason)),
    up: (issuer, isUp) => issuerUp.set({ issuer }, isUp ? 1 : 0),
  };
}
