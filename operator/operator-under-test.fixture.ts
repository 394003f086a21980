import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { CLASSES } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { installCrds } from "#test/harness/integration-setup.ts";
import {
  adminClient,
  classNamed,
  createSandbox,
  type RunningOperator,
  startNode,
  startOperator,
} from "./operator.fixture.ts";
import type { OperatorOptions } from "./operator.ts";

/** Those of the test that runs. The class has the namespace's name. */
export let plane: ControlPlane;
export let client: KubeClient;
export let namespace: string;
export let operator: RunningOperator;
export let node: Awaited<ReturnType<typeof startNode>>;

/** A control plane with an audit log for a file's tests; for each of them a namespace, a class, a node and an operator. */
export function useOperator(): void {
  beforeAll(async () => {
    plane = await startControlPlane({ audit: true });
    await installCrds(plane);
    client = adminClient(plane.kubeconfig);
  });

  afterAll(async () => {
    await client.close();
    await plane.stop();
  });

  beforeEach(async () => {
    namespace = await createSandbox(client);
    await client.create(CLASSES, classNamed(namespace));
    node = await startNode(client, namespace);
    operator = await startOperator(plane.kubeconfig, namespace);
  });

  afterEach(async () => {
    await operator.stop();
    await node.stop();
    await client.delete(CLASSES, { name: namespace });
  });
}

/** Another operator in the place of one that was stopped. */
export async function startAgain(options: Partial<OperatorOptions> = {}): Promise<void> {
  operator = await startOperator(plane.kubeconfig, namespace, options);
}

/** An object of the namespace. */
export function ref(name: string): { namespace: string; name: string } {
  return { namespace, name };
}
