import type { Informer } from "#lib/kube/informer.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { type KubeObject, refKey } from "#lib/kube/types.ts";

/** Pods whose deletion was asked for, until the watch tells of their end: until then they are taken for ones that are ending. */
export class Deletions {
  readonly #pods: Pick<Informer<Pod>, "get" | "onChange">;
  readonly #uids = new Set<string>();

  constructor(pods: Pick<Informer<Pod>, "get" | "onChange">) {
    this.#pods = pods;
    pods.onChange(({ type, object }) => {
      if (type === "deleted") this.#uids.delete(object.metadata.uid ?? "");
    });
  }

  has(uid: string): boolean {
    return this.#uids.has(uid);
  }

  /** Asks for an object's deletion by `send`. */
  async track({ kind, metadata }: KubeObject, send: () => Promise<unknown>): Promise<void> {
    const { uid = "" } = metadata;
    // Before the request: the watch may tell of the deletion before the answer is there.
    this.#uids.add(uid);
    try {
      await send();
    } catch (error) {
      // Refused, or nobody knows: the next plan asks again, which a uid makes harmless.
      this.#uids.delete(uid);
      throw error;
    }
    // It may have told before it was asked for, and tells nothing more then.
    const isThere = kind === "Pod" && this.#pods.get(refKey(metadata))?.metadata.uid === uid;
    if (!isThere) this.#uids.delete(uid);
  }
}
