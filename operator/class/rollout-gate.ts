import type { OpenClawClass, OpenClawInstance } from "#crds/index.ts";
import { objectKey, refKey } from "#lib/kube/types.ts";
import { runtimeName } from "../build/identity.ts";
import { BY_CLASS, type Caches } from "../cache/caches.ts";
import { looksUnderWay, type RolloutStage } from "../instance/turn.ts";

/** How far a change of a class has come. */
export interface RolloutProgress {
  /** Keys of the instances whose turn it is. */
  readonly turns: readonly string[];
  /** How many wait for a turn. */
  readonly waiting: number;
  /** How many cannot follow. */
  readonly refused: number;
  /** How many were looked at since the class last changed. */
  readonly planned: number;
}

/**
 * Lets changes of a class through to at most `rollout.maxUnavailable` of its instances at a time: one takes a turn before
 * its pod is replaced, and gives it back when it serves again. Kept in memory only; the turns that were taken before this
 * process led are read off the state of the world when a class is first asked about.
 */
export interface RolloutGate {
  /** True for an instance whose turn it is. */
  hasTurn(instance: OpenClawInstance): boolean;
  /** Takes a turn, if one is free. */
  take(instance: OpenClawInstance, plan: OpenClawClass): boolean;
  /** Tells what became of an instance with the class as it is now. */
  settle(instance: OpenClawInstance, plan: OpenClawClass, stage: RolloutStage): void;
  /** The instance of this key is gone, or going. */
  forget(key: string): void;
  progress(plan: OpenClawClass): RolloutProgress;
}

/** What a gate is made of. */
export interface RolloutGateOptions {
  readonly caches: Pick<Caches, "instances" | "pods">;
  /** Has an instance looked at again: a turn may be free for it. */
  readonly wake: (key: string) => void;
  /** The progress of a class changed. */
  readonly onProgress: (className: string) => void;
}

/** A gate that knows of no class yet. */
export function createRolloutGate(o: RolloutGateOptions): RolloutGate {
  const rollouts = new Map<string, Rollout>();
  const classOf = new Map<string, string>();

  /** The rollout of an instance's class. One that left its former class holds nobody up there. */
  function enter(instance: OpenClawInstance): { key: string; rollout: Rollout } {
    const key = objectKey(instance);
    const { className } = instance.spec;
    if (classOf.get(key) !== className) forget(key);
    classOf.set(key, className);
    return { key, rollout: rolloutOf(className) };
  }

  function rolloutOf(className: string): Rollout {
    const known = rollouts.get(className);
    if (known) return known;
    const rollout = new Rollout(turnsTaken(o.caches, className));
    for (const key of rollout.turns) classOf.set(key, className);
    rollouts.set(className, rollout);
    return rollout;
  }

  function forget(key: string): void {
    const className = classOf.get(key);
    if (className === undefined) return;
    classOf.delete(key);
    after(className, (rollout) => rollout.forget(key));
    // Instances may name classes that never were: nothing is kept of those.
    if (rolloutOf(className).isEmpty) rollouts.delete(className);
  }

  /** Carries out a change, wakes those it made room for, and tells of it. */
  function after(className: string, change: (rollout: Rollout) => boolean): void {
    const rollout = rolloutOf(className);
    if (!change(rollout)) return;
    for (const key of rollout.next()) o.wake(key);
    o.onProgress(className);
  }

  return {
    hasTurn(instance) {
      const { key, rollout } = enter(instance);
      return rollout.turns.has(key);
    },
    take(instance, plan) {
      const { key, rollout } = enter(instance);
      const taken = rollout.take(key, plan.spec.rollout.maxUnavailable);
      if (taken) o.onProgress(instance.spec.className);
      return taken;
    },
    settle(instance, plan, stage) {
      const { key } = enter(instance);
      after(plan.metadata.name, (rollout) => rollout.settle(key, stage, plan));
    },
    forget,
    progress({ metadata: { name, generation } }) {
      const rollout = rolloutOf(name);
      const planned = rollout.generation === generation ? rollout.planned.size : 0;
      return {
        turns: [...rollout.turns],
        waiting: rollout.waiting.size,
        refused: rollout.refused.size,
        planned,
      };
    },
  };
}

function turnsTaken({ instances, pods }: RolloutGateOptions["caches"], className: string): string[] {
  return instances
    .byIndex(BY_CLASS, className)
    .filter((instance) => {
      const { namespace = "" } = instance.metadata;
      return looksUnderWay(instance, pods.get(refKey({ namespace, name: runtimeName(instance) })));
    })
    .map(objectKey);
}

/** The turns of one class. */
class Rollout {
  readonly turns: Set<string>;
  /** In the order in which they asked. */
  readonly waiting = new Set<string>();
  readonly refused = new Set<string>();
  /** Those looked at with the class of `generation`. */
  readonly planned = new Set<string>();
  generation: number | undefined;
  #maxUnavailable = 1;

  constructor(turns: Iterable<string>) {
    this.turns = new Set(turns);
  }

  take(key: string, maxUnavailable: number): boolean {
    this.#maxUnavailable = maxUnavailable;
    if (!this.turns.has(key) && this.turns.size >= maxUnavailable) return false;
    this.waiting.delete(key);
    this.turns.add(key);
    return true;
  }

  /** True when that changed anything. */
  settle(key: string, stage: RolloutStage, { metadata, spec }: OpenClawClass): boolean {
    this.#maxUnavailable = spec.rollout.maxUnavailable;
    const isNews = this.generation !== metadata.generation;
    if (isNews) {
      this.generation = metadata.generation;
      this.planned.clear();
    }
    const before = this.#sizes;
    this.planned.add(key);
    put(this.waiting, key, stage === "waits");
    put(this.refused, key, stage === "refused");
    if (stage === "current" || stage === "refused") this.turns.delete(key);
    return isNews || this.#sizes !== before;
  }

  forget(key: string): boolean {
    return this.#all.map((keys) => keys.delete(key)).includes(true);
  }

  get isEmpty(): boolean {
    return this.#all.every((keys) => keys.size === 0);
  }

  get #all(): Set<string>[] {
    return [this.turns, this.waiting, this.refused, this.planned];
  }

  get #sizes(): string {
    return this.#all.map((keys) => keys.size).join();
  }

  /** Those who waited longest, as many as there are free turns. */
  next(): string[] {
    const first: string[] = [];
    for (const key of this.waiting) {
      // Most often none is free: thousands that wait are not walked over.
      if (this.turns.size + first.length >= this.#maxUnavailable) break;
      first.push(key);
    }
    return first;
  }
}

/** Puts a key in, or takes it out. Who is inside keeps its place. */
function put(keys: Set<string>, key: string, inside: boolean): void {
  if (inside) keys.add(key);
  else keys.delete(key);
}
