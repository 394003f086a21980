import { CLASSES, type ClassSpecInput, INSTANCES, type InstanceSpecInput, type OpenClawInstance } from "#crds/index.ts";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { isAlreadyExists } from "#lib/kube/errors.ts";
import { STORAGE_CLASSES } from "#lib/kube/resource.ts";
import { refKey } from "#lib/kube/types.ts";
import { createLogger } from "#lib/log.ts";
import {
  classNamed,
  createSandbox,
  instanceNamed,
  isReady,
  OPERATOR_AGENT,
  type RunningOperator,
  startNode,
  startOperator,
  untilInstance,
} from "#operator/operator.fixture.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { ElasticClock } from "#test/harness/elastic-clock.ts";
import type { Clients } from "./clients.ts";
import { createMortalClient } from "./mortal-client.ts";

/** What breaks on purpose would fill the log. */
const silent = createLogger("test", (process.env.TEST_LOG ?? "silent") as "silent");

/** A StorageClass whose volumes may grow. */
export const GROWING = "growing";

/** What an operator puts off for good order, and not because it waits for something. */
/** Longer than an apiserver is silent in a soak. */
export const PATIENCE = { timeoutMs: 900_000 };
const LONGEST_HOLD_MS = 70_000;

const SKIP_MS = 5_000;

/** The one instance of a site. */
const NAME = "alice";

/** A namespace with a class and a node of its own, and one instance in it; of the same names in every site. */
export interface Site {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly instance: { readonly namespace: string; readonly name: string };
  /** What all children of the instance are called. */
  readonly child: { readonly namespace: string; readonly name: string };
  /** The clock of all its operators. */
  readonly clock: ElasticClock;
  /** Starts an operator; by default one that nothing disturbs. `stop` never fails, whatever became of it. */
  operate(o?: { client?: KubeClient; kubeconfig?: string }): Promise<RunningOperator>;
  create(spec?: Partial<InstanceSpecInput>): Promise<unknown>;
  change(spec: object): Promise<unknown>;
  changeClass(spec: object): Promise<unknown>;
  remove(o?: { propagationPolicy: "Foreground" }): Promise<unknown>;
  /** Resolves once the instance is ready with its latest spec and as wanted. */
  ready(wanted?: (instance: OpenClawInstance) => boolean): Promise<OpenClawInstance>;
  until(wanted: (instance: OpenClawInstance) => boolean): Promise<OpenClawInstance>;
  /** Resolves once all that was put off is done too, and the operators that were not stopped have nothing left to do. */
  settled(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Makes what all sites share. */
export async function prepareSites(client: KubeClient): Promise<void> {
  const storageClass = {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: GROWING },
    provisioner: "fake-node.test",
    allowVolumeExpansion: true,
  };
  await client.create(STORAGE_CLASSES, storageClass).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
}

/** A client of an operator's own, whose time limits run by the operator's clock. */
function connect(kubeconfig: string, clock: ElasticClock): KubeClient {
  return createKubeClient({ config: loadKubeAccess(kubeconfig), userAgent: OPERATOR_AGENT, log: silent, clock });
}

/** Makes a site. */
export async function openSite(
  { admin: client, operator: shared }: Clients,
  classSpec: Partial<ClassSpecInput> = {},
): Promise<Site> {
  const namespace = await createSandbox(client);
  const instance = { namespace, name: NAME };
  const child = { namespace, name: `openclaw-${NAME}` };
  await client.create(CLASSES, classNamed(namespace, classSpec as object));
  const node = await startNode(client, namespace);
  const operators = new Set<RunningOperator>();
  const clock = new ElasticClock();

  function queues() {
    return [...operators].flatMap(({ controllers }) => controllers.map(({ queue }) => queue));
  }

  /** Nothing in hand and nothing due. */
  async function idle(signal: AbortSignal | undefined): Promise<void> {
    const keys = [refKey(instance), namespace];
    await waitFor(
      "operators at rest",
      () => queues().every((q) => q.depth === 0 && keys.every((key) => q.priorityInHand(key) === undefined)),
      { ...PATIENCE, ...(signal ? { signal } : {}) },
    );
  }

  /** Lets time pass, but not while something is in hand: a request under way would run into its time limit. */
  async function pass(signal: AbortSignal | undefined): Promise<void> {
    await idle(signal);
    await clock.skip(SKIP_MS);
  }

  return {
    client,
    namespace,
    instance,
    child,
    clock,
    async operate({ kubeconfig, client: own } = {}) {
      // A class is of the whole apiserver: the operators of all sites would tell each their own of it.
      const parts = { clock, log: silent, classStatus: false };
      const through =
        kubeconfig === undefined ? (own ?? createMortalClient(shared).client) : connect(kubeconfig, clock);
      const operator = await startOperator(kubeconfig ?? "", namespace, { ...parts, client: through });
      const running = {
        ...operator,
        stop() {
          operators.delete(running);
          return operator.stop().catch(() => undefined);
        },
      };
      operators.add(running);
      return running;
    },
    create: (spec = {}) => client.create(INSTANCES, instanceNamed(namespace, NAME, { className: namespace, ...spec })),
    change: (spec) => client.mergePatch(INSTANCES, instance, { spec }),
    changeClass: (spec) => client.mergePatch(CLASSES, { name: namespace }, { spec }),
    remove: (o) => client.delete(INSTANCES, instance, o),
    ready: (wanted = () => true) => untilInstance(client, instance, (found) => isReady(found) && wanted(found)),
    until: (wanted) => untilInstance(client, instance, wanted),
    async settled(signal) {
      for (let skipped = 0; skipped < LONGEST_HOLD_MS; skipped += SKIP_MS) await pass(signal);
      // What waits for a cache that is behind is put off again and again until that has caught up.
      await waitFor(
        "nothing put off",
        async () => {
          await idle(signal);
          if (queues().every(({ size }) => size === 0)) return true;
          await pass(signal);
          return false;
        },
        PATIENCE,
      );
    },
    async close() {
      for (const operator of operators) await operator.stop();
      await node.stop();
      await client.delete(CLASSES, { name: namespace });
    },
  };
}
