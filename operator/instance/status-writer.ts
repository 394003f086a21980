import { isDeepStrictEqual } from "node:util";
import { type InstanceStatus, type OpenClawInstance, PHASE } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import { objectKey } from "#lib/kube/types.ts";
import type { StatusPatcher } from "../status-patcher.ts";
import { isUrgent } from "./status.ts";

/** How long a change that is not urgent may wait for one that is. */
const HOLD_MS = 60_000;

/** Writes statuses: at once what people or the API must learn, the rest together with that or after a while. */
export interface StatusWriter {
  /** Writes or holds back. Answers the written object, or when to come again for what is held. */
  write(instance: OpenClawInstance, next: InstanceStatus, signal: AbortSignal): Promise<StatusOutcome>;
  /** The instance is gone. */
  forget(key: string): void;
}

/** What became of a status. */
export interface StatusOutcome {
  readonly written?: OpenClawInstance;
  /** Milliseconds from now. */
  readonly againInMs?: number;
}

/** A writer that holds nothing yet. */
export function createStatusWriter(patcher: StatusPatcher<OpenClawInstance>, clock: Clock): StatusWriter {
  /** Since when a change of this instance waits (`monotonic`). Only the time: what is written is always the latest. */
  const heldSince = new Map<string, number>();

  return {
    async write(instance, next, signal) {
      const key = objectKey(instance);
      patcher.see(instance);
      if (instance.status && isDeepStrictEqual(instance.status, next)) {
        heldSince.delete(key);
        return {};
      }
      if (!isUrgent(instance.status, next)) {
        // Steps of a start, however slow: what follows is ready or a fault, and that is written with all there is to say.
        if (next.phase === PHASE.Provisioning) {
          heldSince.delete(key);
          return {};
        }
        const now = clock.monotonic();
        const since = heldSince.get(key) ?? now;
        heldSince.set(key, since);
        if (now < since + HOLD_MS) return { againInMs: since + HOLD_MS - now };
      }
      const written = await patcher.patch(instance, next, signal);
      heldSince.delete(key);
      return written ? { written } : {};
    },
    forget(key) {
      heldSince.delete(key);
      patcher.forget(key);
    },
  };
}
