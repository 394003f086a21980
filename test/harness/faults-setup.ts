import type { TestProject } from "vitest/node";
import { startControlPlane } from "#test/cluster/control-plane.ts";
import { installCrds } from "./integration-setup.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Path of the audit log, with the bodies of writes, of the apiserver that all fault tests share. */
    auditLog: string;
  }
}

/** Starts the control plane of a run of the fault tests: one for all, because each test has a namespace of its own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const plane = await startControlPlane({ audit: "bodies", install: installCrds });
  project.provide("kubeconfig", plane.kubeconfig);
  project.provide("auditLog", plane.auditLog ?? "");
  return () => plane.stop();
}
