import type { OpenClawInstance } from "#crds/index.ts";
import { INSTANCES } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { KubeError } from "#lib/kube/errors.ts";
import type { Informer } from "#lib/kube/informer.ts";
import { CLUSTER_RETRY_SECONDS } from "../error-mapper.ts";
import { ApiError } from "../errors.ts";

/** How old the last word of the apiserver may be before "there is none" needs a proof. */
const TRUSTED_AGE_MS = 10_000;
/** A quiet watch has a bookmark about once a minute; a copy this old is broken even if the apiserver answers. */
const BROKEN_AGE_MS = 180_000;
/** How long one proof is waited for. */
const PROOF_TIMEOUT_MS = 3_000;

/** Tells a cache that speaks for the cluster from one that lost touch with it. */
export interface Freshness {
  /**
   * Resolves when the cache may be believed.
   * @throws ApiError 503 when it was never filled, is broken, or the apiserver doesn't answer.
   */
  confirm(): Promise<void>;
  /** True while the cache had word of the apiserver so lately that "there is none" needs no other proof. */
  isYoung(): boolean;
  /** What is wrong with the cache, in words; undefined when it is synced and not broken. Asks nobody. */
  fault(): string | undefined;
}

/**
 * The watch of a quiet cluster says nothing for a minute, so an old copy is no proof of an outage and a young one is none of
 * health. When the copy is older than {@link TRUSTED_AGE_MS}, the apiserver is asked once, for all callers of that time.
 */
export function createFreshness(o: {
  client: KubeClient;
  informer: Informer<OpenClawInstance>;
  namespace: string;
  clock: Clock;
}): Freshness {
  const { client, informer, namespace, clock } = o;
  let provenAt = Number.NEGATIVE_INFINITY;
  let proof: Promise<void> | undefined;

  async function prove(): Promise<void> {
    try {
      await client.list(INSTANCES, { namespace, limit: 1, timeoutMs: PROOF_TIMEOUT_MS });
      provenAt = clock.monotonic();
    } finally {
      proof = undefined;
    }
  }

  function fault(): string | undefined {
    if (!informer.hasSynced) return "instances were not read yet";
    const age = informer.lastSyncAgeMs();
    return age > BROKEN_AGE_MS ? `no word of the apiserver for ${Math.round(age / 1000)} s` : undefined;
  }

  const isYoung = () => informer.lastSyncAgeMs() <= TRUSTED_AGE_MS;

  return {
    fault,
    isYoung,
    async confirm() {
      const found = fault();
      if (found) throw unavailable(found);
      if (isYoung() || clock.monotonic() - provenAt <= TRUSTED_AGE_MS) return;
      proof ??= prove();
      try {
        await proof;
      } catch (error) {
        if (!(error instanceof KubeError)) throw error;
        throw unavailable(error.message, error);
      }
    },
  };
}

function unavailable(logReason: string, cause?: unknown): ApiError {
  return new ApiError("cluster_unavailable", "the cluster cannot be reached", {
    step: "get_instance",
    retryAfterSeconds: CLUSTER_RETRY_SECONDS,
    logReason,
    cause,
  });
}
