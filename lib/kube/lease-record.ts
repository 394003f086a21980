import type { Clock } from "#lib/clock.ts";
import type { CallOptions, KubeClient } from "./client.ts";
import { isAlreadyExists, isConflict } from "./errors.ts";
import { microTime } from "./micro-time.ts";
import { LEASES, type Lease } from "./resource.ts";

/** Which Lease, who we are and how long it is ours after each renewal. */
export interface LeaseRecordOptions {
  client: KubeClient;
  namespace: string;
  name: string;
  /** Unique to this run of the process: a restarted process must not take itself for the leader that died. */
  identity: string;
  durationMs: number;
  /** How long after a renewal this candidate may see it: so much earlier the holder's time is over for it. Default 0. */
  seenLateMs?: number | undefined;
  clock: Clock;
}

/**
 * One Lease object as one candidate sees it. A holder's time runs out when its record has not changed for the
 * lease's duration **by a clock of our own that is never set**; the times inside are for people and never compared with ours.
 */
export class LeaseRecord {
  readonly #o: LeaseRecordOptions;
  #observed: Lease | undefined;
  #expiresAt = Number.NEGATIVE_INFINITY;

  constructor(options: LeaseRecordOptions) {
    this.#o = options;
  }

  /** Whose it was when last seen; undefined when free or never seen. */
  get holder(): string | undefined {
    return this.#observed?.spec?.holderIdentity || undefined;
  }

  /** Until the holder's time is over as far as we have seen (milliseconds); not positive once it is, or when nobody was seen. */
  get expiresInMs(): number {
    return this.#expiresAt - this.#o.clock.monotonic();
  }

  /**
   * Takes or renews the lease; false while somebody else holds it. Every write carries the resourceVersion last
   * seen, so of two candidates one is refused.
   * @throws KubeError when the apiserver cannot say.
   */
  async tryHold(o: CallOptions): Promise<boolean> {
    if (this.#observed && this.holder === this.#o.identity && (await this.#write(this.#observed, o))) return true;
    const live = await this.#o.client.get(LEASES, this.#ref, o);
    if (!live) return this.#create(o);
    this.#see(live);
    const { holder } = this;
    if (holder && holder !== this.#o.identity && this.expiresInMs > 0) return false;
    return this.#write(live, o);
  }

  /**
   * Gives the lease up so that the next candidate need not wait it out; nothing happens when it is not ours.
   * @throws KubeError when the apiserver cannot be told.
   */
  async release(o: CallOptions): Promise<void> {
    const live = await this.#o.client.get(LEASES, this.#ref, o);
    if (!live || live.spec?.holderIdentity !== this.#o.identity) return;
    const { holderIdentity: _, ...rest } = live.spec;
    const now = microTime(this.#o.clock.now());
    const spec = { ...rest, leaseDurationSeconds: 1, acquireTime: now, renewTime: now };
    await this.#o.client.replace(LEASES, { ...live, spec }, o);
  }

  get #ref() {
    return { namespace: this.#o.namespace, name: this.#o.name };
  }

  async #create(o: CallOptions): Promise<boolean> {
    const body: Lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: this.#ref,
      spec: this.#spec(undefined),
    };
    try {
      this.#see(await this.#o.client.create(LEASES, body, o));
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  /** Writes us in as the holder; false when the record is no longer the one given. */
  async #write(current: Lease, o: CallOptions): Promise<boolean> {
    try {
      this.#see(await this.#o.client.replace(LEASES, { ...current, spec: this.#spec(current.spec) }, o));
      return true;
    } catch (error) {
      // A lease that was deleted is a conflict too: the write names its uid.
      if (isConflict(error)) return false;
      throw error;
    }
  }

  #spec(before: Lease["spec"]): NonNullable<Lease["spec"]> {
    const now = microTime(this.#o.clock.now());
    const ours = before?.holderIdentity === this.#o.identity;
    return {
      ...before,
      holderIdentity: this.#o.identity,
      leaseDurationSeconds: Math.ceil(this.#o.durationMs / 1000),
      renewTime: now,
      acquireTime: (ours && before.acquireTime) || now,
      leaseTransitions: before ? (before.leaseTransitions ?? 0) + (ours ? 0 : 1) : 0,
    };
  }

  /** Takes note of the record; its time starts anew whenever it changed. */
  #see(lease: Lease): void {
    const changed = JSON.stringify(lease.spec) !== JSON.stringify(this.#observed?.spec);
    this.#observed = lease;
    if (!changed) return;
    const { clock, durationMs, seenLateMs = 0 } = this.#o;
    const seconds = lease.spec?.leaseDurationSeconds;
    this.#expiresAt = clock.monotonic() + (seconds ? seconds * 1000 : durationMs) - seenLateMs;
  }
}
