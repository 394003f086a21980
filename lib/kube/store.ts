import { compareVersions } from "./resource-version.ts";
import { type KubeObject, objectKey } from "./types.ts";

/** What became of one object. `previous` is what was held before; on "deleted", `object` is the last known state. */
export interface Change<T extends KubeObject = KubeObject> {
  /** `namespace/name`, or `name` for cluster-scoped kinds. */
  key: string;
  type: "added" | "updated" | "deleted";
  object: T;
  previous?: T;
}

/** Objects of one kind by key, with indexes. Each writing method answers what it changed, in order. */
export interface Store<T extends KubeObject> {
  readonly size: number;
  get(key: string): T | undefined;
  list(): T[];
  /** @throws TypeError for an index that was not declared. */
  byIndex(index: string, value: string): T[];
  /** Takes an object in, unless a newer state of it is held. */
  put(object: T): Change<T>[];
  /** Like `put`, for the answer to a write of our own that no list or watch has shown yet. */
  assume(object: T): Change<T>[];
  /** Takes an object out; `object` is its last state. Ignored when a newer object of that name is held. */
  remove(object: T): Change<T>[];
  /** Makes `objects` the content. Assumed objects newer than the list stay, unless it is a `reset`. */
  replace(objects: T[], resourceVersion: string, o?: { reset?: boolean }): Change<T>[];
}

export interface StoreOptions<T extends KubeObject> {
  /** Values under which an object is found, per index. */
  indexes?: Record<string, (object: T) => string[]> | undefined;
  /** Cuts each object down on its way in. */
  transform?: ((object: T) => T) | undefined;
}

/** An empty store. */
export function createStore<T extends KubeObject>(o: StoreOptions<T> = {}): Store<T> {
  const objects = new Map<string, T>();
  const indexes = new Map(Object.entries(o.indexes ?? {}).map(([name, values]) => [name, createIndex(values)]));
  /** Keys whose object is our own write, not yet seen in a list or a watch. */
  const assumed = new Set<string>();
  const transform = o.transform ?? ((object: T) => object);

  function set(key: string, object: T): void {
    const before = objects.get(key);
    objects.set(key, object);
    for (const index of indexes.values()) index.move(key, before, object);
  }

  function drop(key: string, last: T): Change<T> {
    const previous = objects.get(key) ?? last;
    objects.delete(key);
    assumed.delete(key);
    for (const index of indexes.values()) index.move(key, previous, undefined);
    return { key, type: "deleted", object: last, previous };
  }

  function take(key: string, raw: T, force = false): Change<T>[] {
    const previous = objects.get(key);
    if (previous && sameUid(previous, raw)) {
      if (!force && previous.metadata.resourceVersion === raw.metadata.resourceVersion) return [];
      const object = transform(raw);
      set(key, object);
      return [{ key, type: "updated", object, previous }];
    }
    // A namesake with another uid is another object: the one we knew is gone.
    const gone = previous ? [drop(key, previous)] : [];
    const object = transform(raw);
    set(key, object);
    return [...gone, { key, type: "added", object }];
  }

  const isOlder = (key: string, than: T) => {
    const held = objects.get(key);
    return held !== undefined && compareVersions(than.metadata.resourceVersion, held.metadata.resourceVersion) < 0;
  };

  return {
    get size() {
      return objects.size;
    },
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    byIndex(name, value) {
      const index = indexes.get(name);
      if (!index) throw new TypeError(`there is no index "${name}"`);
      return index.keys(value).flatMap((key) => objects.get(key) ?? []);
    },
    put(object) {
      const key = objectKey(object);
      if (isOlder(key, object)) return [];
      assumed.delete(key);
      return take(key, object);
    },
    assume(object) {
      const key = objectKey(object);
      if (isOlder(key, object)) return [];
      const changes = take(key, object);
      if (changes.length > 0) assumed.add(key);
      return changes;
    },
    remove(object) {
      const key = objectKey(object);
      if (!objects.has(key) || isOlder(key, object)) return [];
      return [drop(key, transform(object))];
    },
    replace(list, resourceVersion, { reset = false } = {}) {
      const listed = new Set(list.map(objectKey));
      const keep = (key: string) =>
        !reset && assumed.has(key) && compareVersions(objects.get(key)?.metadata.resourceVersion, resourceVersion) > 0;
      const gone = [...objects].filter(([key]) => !listed.has(key) && !keep(key));
      return [
        ...gone.map(([key, last]) => drop(key, last)),
        ...list.flatMap((object) => {
          const key = objectKey(object);
          if (keep(key)) return [];
          assumed.delete(key);
          // A server that went back in time gives the same resourceVersions out again, to other states.
          return take(key, object, reset);
        }),
      ];
    },
  };
}

function sameUid(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid;
}

/** Keys by the values an index function gives. */
function createIndex<T>(values: (object: T) => string[]) {
  const keysByValue = new Map<string, Set<string>>();
  return {
    keys: (value: string) => [...(keysByValue.get(value) ?? [])],
    move(key: string, before: T | undefined, after: T | undefined) {
      for (const value of before ? values(before) : []) {
        const keys = keysByValue.get(value);
        keys?.delete(key);
        if (keys?.size === 0) keysByValue.delete(value);
      }
      for (const value of after ? values(after) : []) {
        const keys = keysByValue.get(value) ?? new Set();
        keysByValue.set(value, keys.add(key));
      }
    },
  };
}
