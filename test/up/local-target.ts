import { type Cluster, findCluster, startCluster, stopCluster } from "#test/cluster/cluster.ts";
import { step } from "#test/cluster/progress.ts";
import type { ImageFile } from "#test/cluster/scratch-image.ts";
import {
  ensurePostgresImage,
  ensureRuntimeImage,
  ensureServerImage,
  ensureSimulatorImage,
} from "#test/images/images.ts";
import type { ImageRefs, Target } from "./deploy.ts";
import { findMissing } from "./machine.ts";
import { type ModelProvider, requireReachable, routeProvider } from "./provider.ts";
import type { UpTarget } from "./target.ts";

/** Name of the cluster of `make up`; tests use others. */
const CLUSTER = "up";

/** Where each image comes from: builds it where its inputs changed. */
export type ImageSources = Readonly<Record<keyof ImageRefs, () => Promise<ImageFile>>>;

/** The images of this work tree. */
export const OWN_IMAGES: ImageSources = {
  openclaw: ensureRuntimeImage,
  server: ensureServerImage,
  postgres: ensurePostgresImage,
  simulator: ensureSimulatorImage,
};

/**
 * A cluster of our own on this machine, started if it does not run.
 * @throws Error listing what the machine lacks and how to get it.
 */
export async function openLocalTarget(images: ImageSources): Promise<UpTarget> {
  const missing = await findMissing();
  if (missing.length > 0)
    throw new Error(`this machine can't run a cluster yet:\n${missing.map((line) => `  - ${line}`).join("\n")}`);
  const cluster = await startCluster({ name: CLUSTER, audit: true });
  return {
    ...describeTarget(cluster),
    kind: "local",
    provideImages: () => provideImages(cluster, images),
    provideModels: (provider) => provideModels(cluster, provider),
    openService: async (namespace, service, port) => ({
      url: `http://127.0.0.1:${await cluster.openDoor(`${namespace}/${service}:${port}`)}`,
    }),
  };
}

/** How the chart is installed on a cluster of ours. */
export function describeTarget(cluster: Cluster): Target {
  return {
    kubeconfig: cluster.kubeconfig,
    kubectl: cluster.kubectlPath,
    helm: cluster.helmPath,
    // One small machine holds everything: what a gateway asks for at rest, so that several fit, and the usual limits.
    values: { operator: { replicas: 1 } },
    standardClass: { resources: { requests: { cpu: "50m", memory: "768Mi" } }, storage: { size: "1Gi" } },
  };
}

/** Builds the images where their inputs changed and makes them known to the cluster's nodes. */
export async function provideImages(cluster: Cluster, sources: ImageSources = OWN_IMAGES): Promise<ImageRefs> {
  const [openclaw, server] = [await sources.openclaw(), await sources.server()];
  const [postgres, simulator] = [await sources.postgres(), await sources.simulator()];
  await step("bring the images to the node", async () => {
    for (const image of [openclaw, server, postgres, simulator]) await cluster.importImage(image);
  });
  return { openclaw: openclaw.ref, server: server.ref, postgres: postgres.ref, simulator: simulator.ref };
}

/** Lets the cluster's pods out to the provider, and to nothing else; without one, to nothing. */
async function provideModels(
  cluster: Cluster,
  provider: ModelProvider | undefined,
): Promise<ModelProvider | undefined> {
  const route = provider && routeProvider(provider.baseUrl);
  if (route?.outside) await requireReachable(route.outside.target);
  await cluster.letOut(route?.outside);
  return provider && route && { ...provider, baseUrl: route.baseUrl };
}

/** Stops the cluster of `make up`; images and built binaries stay cached. */
export async function stopLocalCluster(): Promise<void> {
  const running = await findCluster(CLUSTER);
  await step("stop the cluster", () => stopCluster(CLUSTER));
  console.log(
    running ? "The cluster is gone, with its volumes. Start again with: make up" : "No local cluster was up.",
  );
}
