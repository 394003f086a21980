import { openCurrentTarget, removeRelease } from "./current-target.ts";
import type { ImageRefs, Target } from "./deploy.ts";
import { type ImageSources, openLocalTarget, stopLocalCluster } from "./local-target.ts";
import type { Door } from "./port-forward.ts";
import type { ModelProvider } from "./provider.ts";
import { type ClusterKind, readClusterKind, type Session } from "./session.ts";

/** A cluster that Hatchery is brought up on. */
export interface UpTarget extends Target {
  readonly kind: ClusterKind;
  /** Builds the images where their inputs changed and brings them to where the nodes find them. */
  provideImages(): Promise<ImageRefs>;
  /** Makes a provider reachable for pods, and gives it as they have to use it; undefined means the simulated one. */
  provideModels(provider: ModelProvider | undefined): Promise<ModelProvider | undefined>;
  /** Opens a port of 127.0.0.1 that leads to a service and stays open after this process. */
  openService(namespace: string, service: string, port: number): Promise<Door>;
}

/** The cluster that `CLUSTER` names: a local one of our own (default), or `current`, the kubeconfig's current context. */
export function chooseTarget(
  env: Readonly<Record<string, string | undefined>>,
  images: ImageSources,
): Promise<UpTarget> {
  return readClusterKind(env) === "current" ? openCurrentTarget(env, images) : openLocalTarget(images);
}

/** Takes down what a session brought up on a kind of cluster; without one, a local cluster that may be left over. */
export async function stopTarget(kind: ClusterKind, session: Session | undefined): Promise<void> {
  if (kind === "local") await stopLocalCluster();
  else if (session) await removeRelease(session);
  else console.log("Nothing of make up is on a cluster that is not local.");
}
