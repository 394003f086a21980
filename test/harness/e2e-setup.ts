import type { TestProject } from "vitest/node";
import { startCluster, stopCluster } from "#test/cluster/cluster.ts";
import { ensureLightGatewayImage } from "#test/harness/light-gateway/image.ts";
import { deployHatchery, type ImageRefs, type Target } from "#test/up/deploy.ts";
import { describeTarget, provideImages } from "#test/up/local-target.ts";
import { SIMULATOR_SERVICE } from "#test/up/simulator.ts";

/** The running system that end-to-end tests talk to. */
export interface E2eSystem {
  /** Name of the cluster, for `findCluster`. */
  cluster: string;
  kubeconfig: string;
  /** Path of the audit log, JSON lines. */
  auditLog: string;
  /** Namespace of the control plane and of the instances. */
  namespace: string;
  tenantNamespace: string;
  /** Base URL of the API on this machine. */
  apiUrl: string;
  internalKey: string;
  /** Origin of the simulated model provider on this machine. */
  modelUrl: string;
  /** Image of the light stand-in for OpenClaw. */
  lightImage: string;
  /** Image of one that takes every configuration and ends at each start. */
  brokenImage: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    e2e: E2eSystem;
  }
}

/**
 * Brings the whole system up on a cluster of its own, once for all tests of a project, and takes it down after them. With
 * `E2E_CLUSTER` set, the cluster has that name, is left running, and is taken again by the next run.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const kept = process.env.E2E_CLUSTER;
  const name = kept || `${project.name}-${process.pid}`;
  const stop = async () => {
    if (!kept) await stopCluster(name, { purge: true }); // no later run would take what it keeps
  };
  try {
    project.provide("e2e", await bringUp(name));
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}

/** Five OpenClaws must fit on two cores; what they reserve says nothing of what they use. */
function forTests(target: Target, images: ImageRefs): Target {
  const standardClass = {
    image: images.openclaw,
    models: [{ name: "default", provider: "default", providerModel: "simulated-1" }],
    resources: { requests: { cpu: "50m", memory: "512Mi" }, limits: { cpu: "2", memory: "2Gi" } },
    storage: { size: "1Gi" },
  };
  // What a gateway does behind green probes is to be seen while a test waits for it.
  const operator = { gatewayRecheckSeconds: 4 };
  return { ...target, values: { ...target.values, standardClass, operator } };
}

async function bringUp(name: string): Promise<E2eSystem> {
  const cluster = await startCluster({ name, audit: true });
  if (!cluster.auditLog) throw new Error(`cluster ${name} runs without an audit log; stop it first`);
  const light = await ensureLightGatewayImage();
  const broken = await ensureLightGatewayImage({ broken: true });
  for (const image of [light, broken]) await cluster.importImage(image);
  const images = await provideImages(cluster);
  const deployment = await deployHatchery(forTests(describeTarget(cluster), images), images);
  const door = async (service: string) => `http://127.0.0.1:${await cluster.openDoor(service)}`;
  const { namespace, tenantNamespace, internalKey } = deployment;
  return {
    cluster: name,
    kubeconfig: cluster.kubeconfig,
    auditLog: cluster.auditLog,
    namespace,
    tenantNamespace,
    internalKey,
    apiUrl: await door(`${namespace}/hatchery-api:8080`),
    modelUrl: await door(`${SIMULATOR_SERVICE.namespace}/${SIMULATOR_SERVICE.name}:${SIMULATOR_SERVICE.port}`),
    lightImage: light.ref,
    brokenImage: broken.ref,
  };
}
