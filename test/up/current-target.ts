import { homedir } from "node:os";
import { join } from "node:path";
import { ensureKubeBinaries } from "#test/cluster/binaries.ts";
import { step } from "#test/cluster/progress.ts";
import { run } from "#test/cluster/shell.ts";
import { ensureRuntimeImage, ensureServerImage, ensureSimulatorImage, pushImage } from "#test/images/images.ts";
import { NAMESPACE, RELEASE } from "./deploy.ts";
import { forwardPort, stopForwarder } from "./port-forward.ts";
import type { Session } from "./session.ts";
import type { UpTarget } from "./target.ts";

/**
 * The cluster of the kubeconfig's current context; its nodes pull images from the registry in `IMAGE_REGISTRY`.
 * @throws Error when `IMAGE_REGISTRY` is not set or the cluster does not answer.
 */
export async function openCurrentTarget(env: Readonly<Record<string, string | undefined>>): Promise<UpTarget> {
  const registry = env.IMAGE_REGISTRY?.replace(/\/+$/, "");
  if (!registry)
    throw new Error(
      "CLUSTER=current needs IMAGE_REGISTRY, a registry that you may push to and its nodes may pull from",
    );
  const kubeconfig = env.KUBECONFIG || join(homedir(), ".kube", "config");
  const { kubectl, helm } = await ensureKubeBinaries();
  await step("ask the cluster of the current context", () =>
    run([kubectl, "get", "--raw", "/readyz", "--kubeconfig", kubeconfig]),
  );
  const target: UpTarget = {
    kind: "current",
    kubeconfig,
    kubectl,
    helm,
    async provideImages() {
      const push = async (title: string, ensure: () => Promise<{ ref: string; tar: string }>) => {
        const { ref, tar } = await ensure();
        const remote = `${registry}/${ref.replace(/^localhost\//, "")}`;
        await step(`push ${title}`, () => pushImage(tar, remote));
        return remote;
      };
      return {
        openclaw: await push("the OpenClaw image", ensureRuntimeImage),
        server: await push("the server image", ensureServerImage),
        simulator: await push("the model simulator", ensureSimulatorImage),
      };
    },
    async openService(namespace, service, port, previous) {
      await stopForwarder(previous);
      return forwardPort(target, namespace, service, port);
    },
  };
  return target;
}

/** Removes the release from a cluster that is not ours. Instances, their volumes and the CRDs stay: they are the users'. */
export async function removeRelease(session: Session): Promise<void> {
  await stopForwarder(session.forwarderPid);
  const args = ["uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", "--ignore-not-found"];
  await run([session.helm, ...args, "--kubeconfig", session.kubeconfig]);
  console.log("The release is removed; instances, volumes and CRDs are left as they are.");
}
