import type { Registry } from "prom-client";
import { GROUP } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { type Controller, createController } from "#lib/kube/controller.ts";
import { createEventRecorder, type EventRecorder } from "#lib/kube/events.ts";
import type { Informer } from "#lib/kube/informer.ts";
import type { Logger } from "#lib/log.ts";
import { type Caches, createCaches } from "./cache/caches.ts";
import { type ClassController, createClassController } from "./class/controller.ts";
import { createRolloutGate, type RolloutGate } from "./class/rollout-gate.ts";
import { createInstanceReconciler } from "./instance/reconcile.ts";
import type { Settings } from "./instance/settings.ts";
import { triggerInstances } from "./instance/triggers.ts";
import { observeInstances } from "./metrics.ts";
import { createGatewayDrainer, type GatewayDrainer, type GatewaySuspension } from "./probe/gateway-drainer.ts";
import { createGatewayProber, type GatewayCall, type GatewayProber } from "./probe/gateway-prober.ts";
import { createSweep, type Sweep } from "./sweep/sweep.ts";

/** What an operator is made of; everything that reaches outside comes in here. */
export interface OperatorOptions {
  readonly client: KubeClient;
  /** The namespaces to work in; default all. Who is confined to some has no more rights in the cluster than to read classes. */
  readonly namespaces?: readonly string[] | undefined;
  /**
   * Whether to write the status of classes; default only without `namespaces`. Classes are the cluster's: an operator that
   * sees only some namespaces cannot say how many instances one has, and two such would contradict each other.
   */
  readonly classStatus?: boolean;
  /** Whether nodes may be read, which takes a right in the whole cluster; default only without `namespaces`. */
  readonly nodes?: boolean;
  readonly settings: Settings;
  /** Calls a gateway with its slot's token. */
  readonly callGateway: GatewayCall;
  /** Asks a gateway to finish its work. */
  readonly suspension: GatewaySuspension;
  /** About how long until a gateway that serves is called again (milliseconds). */
  readonly gatewayRecheckMs: number;
  readonly workers: number;
  /** How long changes are gathered before a class's status tells of them; default 5 s. */
  readonly classGatherMs?: number;
  /** Name of this process in events. */
  readonly identity: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  /** A fresh random slot id. */
  readonly newSlot: () => string;
}

/** The parts of an operator; nothing runs until a manager runs the informers and controllers. */
export interface Operator {
  readonly caches: Caches;
  readonly informers: readonly Informer[];
  readonly controllers: readonly Controller[];
  /** Deletes what nobody owns; runs beside the controllers. */
  readonly sweep: Sweep;
  readonly events: EventRecorder;
  readonly prober: GatewayProber;
  readonly drainer: GatewayDrainer;
}

/** Puts an operator together. */
export function createOperator(o: OperatorOptions): Operator {
  const { client, clock, log, registry, namespaces } = o;
  const { classStatus = namespaces === undefined, nodes = namespaces === undefined } = o;
  const caches = createCaches({ client, clock, log, registry, namespaces, nodes });
  const events = createEventRecorder({
    client,
    component: `${GROUP}/operator`,
    instanceName: o.identity,
    clock,
    log,
    registry,
  });
  const wake = (key: string) => controller.queue.add(key);
  const beside = { onVerdict: wake, clock, log };
  const prober = createGatewayProber({
    ...beside,
    call: o.callGateway,
    recheckMs: o.gatewayRecheckMs,
    random: Math.random,
  });
  const drainer = createGatewayDrainer({ ...beside, calls: o.suspension });
  const rollouts: RolloutGate = createRolloutGate({
    caches,
    wake,
    onProgress: (className) => classes?.onProgress(className),
  });
  const classes: ClassController | undefined = classStatus
    ? createClassController({ client, caches, rollouts, events, clock, log, registry, gatherMs: o.classGatherMs })
    : undefined;
  const metrics = observeInstances(registry, caches);
  const controller: Controller = createController({
    name: "instance",
    reconcile: createInstanceReconciler({
      client,
      caches,
      prober,
      drainer,
      rollouts,
      wake,
      events,
      metrics,
      clock,
      settings: o.settings,
      newSlot: o.newSlot,
    }),
    workers: o.workers,
    clock,
    log,
    registry,
  });
  /** Whoever leads next must not find the gateways still asked by this one, nor instances told of twice. */
  const instances: Controller = {
    name: controller.name,
    queue: controller.queue,
    async run(signal, abandon) {
      metrics.leads(true);
      try {
        await controller.run(signal, abandon);
      } finally {
        metrics.leads(false);
        prober.close();
        drainer.close();
      }
    },
  };
  const sweep = createSweep({ client, caches, clock, log, registry });
  triggerInstances(caches, controller.queue);
  return {
    caches,
    informers: Object.values(caches),
    controllers: classes ? [instances, classes.controller] : [instances],
    sweep,
    events,
    prober,
    drainer,
  };
}
