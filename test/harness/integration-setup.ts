import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Path of a kubeconfig with all rights on an apiserver where our kinds are installed. */
    kubeconfig: string;
  }
}

const CRDS = fileURLToPath(new URL("../../crds/generated", import.meta.url));

/**
 * Starts one real control plane for all integration tests of a run and installs our kinds. Tests take
 * `inject("kubeconfig")` and a namespace of their own. There are no nodes: pods stay Pending.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const plane = await startControlPlane();
  try {
    await installCrds(plane);
  } catch (error) {
    await plane.stop();
    throw error;
  }
  project.provide("kubeconfig", plane.kubeconfig);
  return () => plane.stop();
}

/** Installs our kinds and waits until they are served. */
export async function installCrds(plane: Pick<ControlPlane, "kubectl">): Promise<void> {
  await plane.kubectl("apply", "--server-side", "-f", CRDS);
  await plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", CRDS);
}
