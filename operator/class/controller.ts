import type { Registry } from "prom-client";
import { type Controller, createController } from "#lib/kube/controller.ts";
import type { Logger } from "#lib/log.ts";
import { takeCensus } from "./census.ts";
import { type ClassReconcilerOptions, createClassReconciler } from "./reconcile.ts";

/**
 * How long changes are gathered before the status of a class is looked at, by default: a thousand instances that become
 * ready cost the class a write each five seconds and not a thousand.
 */
const GATHER_MS = 5_000;

/** What the controller of classes is made of. */
export interface ClassControllerOptions extends Omit<ClassReconcilerOptions, "census"> {
  readonly log: Logger;
  readonly registry: Registry;
  /** Default 5 s. */
  readonly gatherMs?: number | undefined;
}

/** A controller of classes, and what wakes it. */
export interface ClassController {
  readonly controller: Controller;
  /** Something that a class's status tells of changed. */
  readonly onProgress: (className: string) => void;
}

/** A controller that has not started. */
export function createClassController(o: ClassControllerOptions): ClassController {
  const { caches, clock, log, registry, gatherMs: afterMs = GATHER_MS } = o;
  // The queue keeps the earliest time of a key, so what changes meanwhile neither hastens nor puts off the look.
  const onProgress = (className: string) => controller.queue.add(className, { afterMs });
  const census = takeCensus(caches, onProgress);
  const controller: Controller = createController({
    name: "class",
    reconcile: createClassReconciler({ ...o, census }),
    workers: 1,
    clock,
    log,
    registry,
  });
  caches.classes.onChange(({ key, object, previous, type }) => {
    if (type === "updated" && object.metadata.generation === previous?.metadata.generation) return;
    onProgress(key);
  });
  return { controller, onProgress };
}
