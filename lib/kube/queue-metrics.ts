import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** What the metrics read from a queue at the moment of a scrape. Times in milliseconds. */
export interface QueueSource {
  readonly name: string;
  now(): number;
  /** The priority of each key that is due and not handed out. */
  duePriorities(): number[];
  /** For each key being worked on, since when. */
  workingSince(): number[];
}

/** Told of what happens in one queue. Times in milliseconds. */
export interface QueueObserver {
  added(): void;
  retried(): void;
  handedOut(waitedMs: number): void;
  worked(tookMs: number): void;
}

/** Names, labels and buckets are controller-runtime's, so that stock dashboards fit: 10 ns to 1,000 s, twelve steps. */
const BUCKETS = Array.from({ length: 12 }, (_, step) => 10 ** (step - 8));
const LABELS = ["name", "controller"] as const;

type Family = ReturnType<typeof registerFamily>;
const families = new WeakMap<Registry, Family>();

/** Adds a queue to the `workqueue_*` metrics of a registry, all of them starting at 0. */
export function observeQueue(registry: Registry, source: QueueSource): QueueObserver {
  const family = families.get(registry) ?? registerFamily(registry);
  families.set(registry, family);
  family.sources.add(source);
  const labels = { name: source.name, controller: source.name };
  family.adds.inc(labels, 0);
  family.retries.inc(labels, 0);
  family.waited.zero(labels);
  family.worked.zero(labels);
  return {
    added: () => family.adds.inc(labels),
    retried: () => family.retries.inc(labels),
    handedOut: (ms) => family.waited.observe(labels, ms / 1000),
    worked: (ms) => family.worked.observe(labels, ms / 1000),
  };
}

function registerFamily(registry: Registry) {
  const sources = new Set<QueueSource>();
  const registers = [registry];
  const gauge = (name: string, help: string, measure: (ages: number[]) => number) =>
    new Gauge({
      name,
      help,
      labelNames: LABELS,
      registers,
      collect() {
        for (const source of sources) {
          const ages = source.workingSince().map((since) => (source.now() - since) / 1000);
          this.set({ name: source.name, controller: source.name }, measure(ages));
        }
      },
    });
  new Gauge({
    name: "workqueue_depth",
    help: "Keys that are due and wait for a worker.",
    labelNames: [...LABELS, "priority"],
    registers,
    collect() {
      this.reset();
      for (const source of sources) {
        const labels = { name: source.name, controller: source.name };
        this.set({ ...labels, priority: "0" }, 0);
        for (const priority of source.duePriorities()) this.inc({ ...labels, priority: String(priority) });
      }
    },
  });
  gauge("workqueue_unfinished_work_seconds", "Time spent so far on keys being worked on, summed.", (ages) =>
    ages.reduce((sum, age) => sum + age, 0),
  );
  gauge("workqueue_longest_running_processor_seconds", "Time spent so far on the key worked on longest.", (ages) =>
    Math.max(0, ...ages),
  );
  return {
    sources,
    adds: new Counter({ name: "workqueue_adds_total", help: "Keys that fell due.", labelNames: LABELS, registers }),
    retries: new Counter({
      name: "workqueue_retries_total",
      help: "Keys added after a failure.",
      labelNames: LABELS,
      registers,
    }),
    waited: new Histogram({
      name: "workqueue_queue_duration_seconds",
      help: "Time from a key falling due to a worker taking it.",
      labelNames: LABELS,
      buckets: BUCKETS,
      registers,
    }),
    worked: new Histogram({
      name: "workqueue_work_duration_seconds",
      help: "Time a worker spent on a key.",
      labelNames: LABELS,
      buckets: BUCKETS,
      registers,
    }),
  };
}
