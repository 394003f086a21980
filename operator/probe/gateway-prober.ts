import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { createCallQueue, type QueuedCall } from "./call-queue.ts";
import type { GatewayVerdict } from "./gateway-verdict.ts";

/** A gateway to call, and which start of it: another id is another gateway. */
export interface GatewayTarget {
  readonly id: string;
  /** Base URL. */
  readonly url: string;
  /** Bearer token of the slot. */
  readonly token: () => string;
}

/** Makes one authenticated call. Never throws for what the gateway did; may reject once `signal` aborted. */
export type GatewayCall = (target: GatewayTarget, signal: AbortSignal) => Promise<GatewayVerdict>;

/**
 * Calls gateways beside the reconciles, because those wait for nobody but the apiserver. A gateway is called until it answers
 * well, and from then on only every few minutes: one that falls silent while its pod's probes pass is found by that alone.
 */
export interface GatewayProber {
  /**
   * Calls this gateway until it answers well, and then now and then; does nothing if that is under way. One that is `known` to
   * have answered is not called at once.
   */
  want(key: string, target: GatewayTarget, known?: boolean): void;
  /** What is known of the gateway of this id; undefined = nothing yet. */
  verdict(key: string, id: string): GatewayVerdict | undefined;
  /** Ends the calls for this key and forgets what they showed. */
  forget(key: string): void;
  /** Ends all calls. */
  close(): void;
}

/** Options of a prober. */
export interface GatewayProberOptions {
  readonly call: GatewayCall;
  /** Told the key whenever its verdict changed. */
  readonly onVerdict: (key: string) => void;
  /** About how long until a gateway that answered well is called again (milliseconds). */
  readonly recheckMs: number;
  /** In [0, 1); spreads the calls. */
  readonly random: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Pause after the first failure; doubled with each further one. */
const RETRY_BASE_MS = 500;
const RETRY_MAX_MS = 30_000;
/** Share by which the time until the next call of a gateway that answered is moved, either way. */
const RECHECK_JITTER = 0.2;
/** Failures before one is told of: a network policy or an address may take a moment to reach every node. */
const TOLD_AFTER = 3;

interface Probe extends QueuedCall {
  readonly key: string;
  readonly target: GatewayTarget;
  attempts: number;
  verdict: GatewayVerdict | undefined;
  cancelTimer: () => void;
}

/** A prober with nothing to do yet. */
export function createGatewayProber(o: GatewayProberOptions): GatewayProber {
  const probes = new Map<string, Probe>();
  const start = createCallQueue(attempt);

  async function attempt(probe: Probe): Promise<void> {
    const verdict = await o.call(probe.target, probe.abort.signal).catch((error: unknown) => {
      if (!probe.abort.signal.aborted)
        o.log.error({ err: error, instance: probe.key }, "the call of a gateway failed to run");
      return undefined;
    });
    if (probe.abort.signal.aborted) return;
    if (verdict?.reachable) {
      probe.attempts = 0;
      tell(probe, verdict);
      wait(probe, o.recheckMs * (1 + RECHECK_JITTER * (2 * o.random() - 1)));
      return;
    }
    probe.attempts++;
    if (verdict && probe.attempts >= TOLD_AFTER) tell(probe, verdict);
    wait(probe, Math.min(RETRY_BASE_MS * 2 ** (probe.attempts - 1), RETRY_MAX_MS));
  }

  function wait(probe: Probe, delayMs: number): void {
    probe.cancelTimer = o.clock.setTimer(() => start(probe), delayMs);
  }

  function tell(probe: Probe, verdict: GatewayVerdict): void {
    const before = probe.verdict;
    const same = before !== undefined && reasonOf(before) === reasonOf(verdict);
    // The latest words, though nobody is woken for them.
    probe.verdict = verdict;
    if (same) return;
    o.onVerdict(probe.key);
  }

  function forget(key: string): void {
    const probe = probes.get(key);
    if (!probe) return;
    probes.delete(key);
    probe.abort.abort();
    probe.cancelTimer();
  }

  return {
    want(key, target, known = false) {
      if (probes.get(key)?.target.id === target.id) return;
      forget(key);
      const probe: Probe = {
        key,
        target,
        abort: new AbortController(),
        attempts: 0,
        verdict: known ? { reachable: true } : undefined,
        cancelTimer: () => undefined,
      };
      probes.set(key, probe);
      // A thousand that are known after a restart are spread over the whole time.
      if (known) wait(probe, o.recheckMs * o.random());
      else start(probe);
    },
    verdict(key, id) {
      const probe = probes.get(key);
      return probe?.target.id === id ? probe.verdict : undefined;
    },
    forget,
    close() {
      for (const key of probes.keys()) forget(key);
    },
  };
}

function reasonOf(verdict: GatewayVerdict): string | undefined {
  return verdict.reachable ? undefined : verdict.reason;
}
