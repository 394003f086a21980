import type { Selection } from "./calls.ts";
import type { KubeClient } from "./client.ts";
import { isExpired, isTooLargeResourceVersion } from "./errors.ts";
import type { KubeObject, ResourceType } from "./types.ts";

/** Full lists that never go back in time: remembers how far we have seen. */
export interface Lister<T extends KubeObject> {
  /** How far we have seen; `""` before the first list. */
  readonly resourceVersion: string;
  advance(resourceVersion: string | undefined): void;
  /** The server cannot go on from what we have seen: a list that ends there again is of no use. */
  lost(): void;
  /**
   * All objects, at least as new as what we have seen. Only where the server cannot serve that any more (it lost
   * revisions) whatever it holds now, marked `reset`.
   */
  list(signal: AbortSignal): Promise<{ items: T[]; resourceVersion: string; reset: boolean }>;
}

export interface ListerOptions<T extends KubeObject> {
  client: KubeClient;
  type: ResourceType<T>;
  selection: Selection;
}

/** A page of this size is half a megabyte of text; a whole list of thousands would need tens of them at once. */
const PAGE_SIZE = 50;

/** A lister that has seen nothing. */
export function createLister<T extends KubeObject>(o: ListerOptions<T>): Lister<T> {
  let seen = "";
  let lostAt: string | undefined;

  /** From the server's cache, not older than seen. It would ignore a limit. */
  const cached = (signal: AbortSignal) => o.client.list(o.type, { ...o.selection, resourceVersion: seen, signal });

  /** The newest state; since Kubernetes 1.34 its pages, too, come from the server's cache. */
  async function newest(signal: AbortSignal, limit: number | undefined) {
    const items: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page = await o.client.list(o.type, { ...o.selection, limit, continue: next, signal });
      for (const item of page.items) items.push(item);
      if (page.continue === undefined) return { items, resourceVersion: page.resourceVersion };
      next = page.continue;
    }
  }

  return {
    get resourceVersion() {
      return seen;
    },
    advance(resourceVersion) {
      if (resourceVersion) seen = resourceVersion;
    },
    lost() {
      lostAt = seen;
    },
    async list(signal) {
      try {
        const list = seen === "" ? await newest(signal, PAGE_SIZE) : await cached(signal);
        if (list.resourceVersion !== lostAt) return { ...list, reset: false };
      } catch (error) {
        if (!placeIsGone(error)) throw error;
      }
      try {
        return { ...(await newest(signal, PAGE_SIZE)), reset: true };
      } catch (error) {
        // The server may forget the state between two pages; then all in one.
        if (!placeIsGone(error)) throw error;
        return { ...(await newest(signal, undefined)), reset: true };
      }
    },
  };
}

function placeIsGone(error: unknown): boolean {
  return isExpired(error) || isTooLargeResourceVersion(error);
}
