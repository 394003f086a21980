import type { OpenClawInstance, Tenant } from "#crds/index.ts";
import { type Clock, sleep } from "#lib/clock.ts";
import type { InstanceDirectory } from "./directory.ts";

/**
 * Waits until `isMet` holds for the tenant's instance (undefined = there is none), `timeoutMs` passed or the signal aborted;
 * answers the instance as it is then.
 */
export async function waitForInstance(
  o: { directory: InstanceDirectory; clock: Clock },
  tenant: Tenant,
  isMet: (instance: OpenClawInstance | undefined) => boolean,
  wait: { timeoutMs: number; signal: AbortSignal },
): Promise<OpenClawInstance | undefined> {
  const met = new AbortController();
  const look = () => {
    if (isMet(o.directory.find(tenant))) met.abort();
  };
  const unsubscribe = o.directory.subscribe(tenant, look);
  try {
    look();
    await sleep(o.clock, wait.timeoutMs, AbortSignal.any([met.signal, wait.signal]));
  } finally {
    unsubscribe();
  }
  return o.directory.find(tenant);
}
