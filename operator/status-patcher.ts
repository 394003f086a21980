import { isDeepStrictEqual } from "node:util";
import { OPERATOR_FIELD_MANAGER } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { isConflict, isNotFound } from "#lib/kube/errors.ts";
import { patchStatusIfChanged } from "#lib/kube/status.ts";
import { type KubeObject, objectKey, type ResourceType } from "#lib/kube/types.ts";

/** Told of each status that is there by our writing, once, with the object as it was before. */
export type StatusNews<T extends { status?: object }> = (before: T, next: NonNullable<T["status"]>) => void;

/**
 * Patches statuses and tells of what became of them. A patch whose answer is lost may have been carried out or not: what it
 * would have brought is remembered, and told of when the object shows it.
 */
export class StatusPatcher<T extends KubeObject & { status?: object }> {
  readonly #client: KubeClient;
  readonly #type: ResourceType<T>;
  readonly #tell: StatusNews<T>;
  /** By the key of the object. */
  readonly #unanswered = new Map<string, { before: T; next: NonNullable<T["status"]> }>();

  constructor(client: KubeClient, type: ResourceType<T>, tell: StatusNews<T>) {
    this.#client = client;
    this.#type = type;
    this.#tell = tell;
  }

  /** Takes in what an object shows: of a status that was written after all is told now. */
  see(live: T): void {
    const key = objectKey(live);
    const last = this.#unanswered.get(key);
    if (!last || !isDeepStrictEqual(live.status, last.next)) return;
    this.#unanswered.delete(key);
    this.#tell(last.before, last.next);
  }

  /**
   * Makes `next` the status. Answers the object as it is then; undefined when it is gone or another of its name is there: nobody
   * is left to read this status.
   * @throws KubeError when the apiserver cannot be reached or fails.
   */
  async patch(live: T, next: NonNullable<T["status"]>, signal: AbortSignal): Promise<T | undefined> {
    const key = objectKey(live);
    const lost = this.#unanswered.get(key);
    this.#unanswered.set(key, { before: live, next });
    try {
      const o = { fieldManager: OPERATOR_FIELD_MANAGER, signal };
      const { object, written } = await patchStatusIfChanged(this.#client, this.#type, live, next, o);
      this.#unanswered.delete(key);
      // Somebody wrote the same before: we did, if nobody answered then.
      if (written || isDeepStrictEqual(lost?.next, next)) this.#tell(live, next);
      return object;
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error;
      this.#unanswered.delete(key);
      return undefined;
    }
  }

  /** The object is gone. */
  forget(key: string): void {
    this.#unanswered.delete(key);
  }
}
