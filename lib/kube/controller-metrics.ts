import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/**
 * How a reconcile ended; `requeue` is never counted here but belongs to the set that dashboards expect, and so does the counter of
 * terminal errors: what cannot be carried out until something changes is no error here but told in the object's status.
 */
export type ReconcileResult = "success" | "error" | "requeue" | "requeue_after";
const RESULTS: readonly ReconcileResult[] = ["success", "error", "requeue", "requeue_after"];

/** controller-runtime's buckets, in seconds. */
const BUCKETS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 1.75, 2,
  2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];

/** Told of what happens in one controller. */
export interface ControllerObserver {
  started(): void;
  ended(): void;
  took(ms: number): void;
  result(result: ReconcileResult): void;
  failed(): void;
  panicked(): void;
  timedOut(): void;
}

type Family = ReturnType<typeof registerFamily>;
const families = new WeakMap<Registry, Family>();

/** Adds a controller to the `controller_runtime_*` metrics of a registry, all of them starting at 0. */
export function observeController(registry: Registry, controller: string, workers: number): ControllerObserver {
  const family = families.get(registry) ?? registerFamily(registry);
  families.set(registry, family);
  const labels = { controller };
  for (const result of RESULTS) family.total.inc({ controller, result }, 0);
  for (const counter of [family.errors, family.terminal, family.panics, family.timeouts]) counter.inc(labels, 0);
  family.time.zero(labels);
  family.active.set(labels, 0);
  family.workers.set(labels, workers);
  return {
    started: () => family.active.inc(labels),
    ended: () => family.active.dec(labels),
    took: (ms) => family.time.observe(labels, ms / 1000),
    result: (result) => family.total.inc({ controller, result }),
    failed: () => family.errors.inc(labels),
    panicked: () => family.panics.inc(labels),
    timedOut: () => family.timeouts.inc(labels),
  };
}

function registerFamily(registry: Registry) {
  const common = { labelNames: ["controller"] as const, registers: [registry] };
  const counter = (name: string, help: string) => new Counter({ name: `controller_runtime_${name}`, help, ...common });
  const gauge = (name: string, help: string) => new Gauge({ name: `controller_runtime_${name}`, help, ...common });
  return {
    total: new Counter({
      name: "controller_runtime_reconcile_total",
      help: "Reconciles by how they ended.",
      labelNames: ["controller", "result"],
      registers: [registry],
    }),
    errors: counter("reconcile_errors_total", "Reconciles that failed."),
    terminal: counter("terminal_reconcile_errors_total", "Reconciles that failed and are not retried."),
    panics: counter("reconcile_panics_total", "Reconciles that failed by a fault of the program."),
    timeouts: counter("reconcile_timeouts_total", "Reconciles aborted at their deadline."),
    time: new Histogram({
      name: "controller_runtime_reconcile_time_seconds",
      help: "Time a reconcile took.",
      buckets: BUCKETS,
      ...common,
    }),
    workers: gauge("max_concurrent_reconciles", "How many reconciles may run at the same time."),
    active: gauge("active_workers", "How many reconciles run now."),
  };
}
