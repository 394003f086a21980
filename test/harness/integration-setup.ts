import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { startPostgres } from "./postgres.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Path of a kubeconfig with all rights on an apiserver where our kinds are installed. */
    kubeconfig: string;
    /** Port on 127.0.0.1 of a Postgres; see `createTestDatabase`. */
    postgresPort: number;
  }
}

const CRDS = fileURLToPath(new URL("../../crds/generated", import.meta.url));

/**
 * Starts one real control plane for all integration tests of a run and installs our kinds, and one real Postgres. Tests take
 * `inject("kubeconfig")` and a namespace of their own, `inject("postgresPort")` and a database of their own. There are no nodes:
 * pods stay Pending.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await using stack = new AsyncDisposableStack();
  const plane = await startControlPlane();
  stack.defer(() => plane.stop());
  const postgres = stack.use(await startPostgres());
  await installCrds(plane);
  project.provide("kubeconfig", plane.kubeconfig);
  project.provide("postgresPort", postgres.port);
  const running = stack.move();
  return () => running.disposeAsync();
}

/** Installs our kinds and waits until they are served. */
export async function installCrds(plane: Pick<ControlPlane, "kubectl">): Promise<void> {
  await plane.kubectl("apply", "--server-side", "-f", CRDS);
  await plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", CRDS);
}
