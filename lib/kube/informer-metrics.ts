import { Counter, Gauge, type Registry } from "prom-client";

/** What an informer's metrics read at the moment of a scrape. */
export interface InformerSource {
  /** `plural` or `plural.group`. */
  readonly resource: string;
  size(): number;
  /** Infinity before the first list. */
  lastSyncAgeMs(): number;
}

/** Told of what an informer goes through. */
export interface InformerObserver {
  relisted(reason: string): void;
  watched(): void;
  /** The informer has ended. */
  removed(): void;
}

interface InformerFamily {
  sources: Set<InformerSource>;
  relists: Counter<"resource" | "reason">;
  watches: Counter<"resource">;
}

const informers = new WeakMap<Registry, InformerFamily>();

/** Adds an informer to the `hatchery_informer_*` metrics of a registry. */
export function observeInformer(registry: Registry, source: InformerSource): InformerObserver {
  const family = informers.get(registry) ?? registerInformers(registry);
  informers.set(registry, family);
  family.sources.add(source);
  const { resource } = source;
  family.watches.inc({ resource }, 0);
  return {
    relisted: (reason) => family.relists.inc({ resource, reason }),
    watched: () => family.watches.inc({ resource }),
    removed: () => family.sources.delete(source),
  };
}

function registerInformers(registry: Registry): InformerFamily {
  const sources = new Set<InformerSource>();
  const registers = [registry];
  new Gauge({
    name: "hatchery_informer_last_sync_age_seconds",
    help: "Time since the server last confirmed the copy of a kind; absent before the first list.",
    labelNames: ["resource"],
    registers,
    collect() {
      this.reset();
      // Of several copies of one kind the oldest speaks.
      for (const [resource, age] of combined(sources, (source) => source.lastSyncAgeMs(), Math.max)) {
        if (Number.isFinite(age)) this.set({ resource }, age / 1000);
      }
    },
  });
  new Gauge({
    name: "hatchery_informer_objects",
    help: "Objects in the copy of a kind.",
    labelNames: ["resource"],
    registers,
    collect() {
      this.reset();
      for (const [resource, count] of combined(
        sources,
        (source) => source.size(),
        (a, b) => a + b,
      )) {
        this.set({ resource }, count);
      }
    },
  });
  return {
    sources,
    relists: new Counter({
      name: "hatchery_informer_relists_total",
      help: "Full lists of a kind, by what made them necessary.",
      labelNames: ["resource", "reason"],
      registers,
    }),
    watches: new Counter({
      name: "hatchery_informer_watches_total",
      help: "Watches of a kind that were begun.",
      labelNames: ["resource"],
      registers,
    }),
  };
}

function combined(
  sources: Iterable<InformerSource>,
  read: (source: InformerSource) => number,
  combine: (a: number, b: number) => number,
): Map<string, number> {
  const values = new Map<string, number>();
  for (const source of sources) {
    const before = values.get(source.resource);
    const value = read(source);
    values.set(source.resource, before === undefined ? value : combine(before, value));
  }
  return values;
}
