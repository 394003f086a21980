import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ensureKubeBinaries } from "#test/cluster/binaries.ts";
import { step } from "#test/cluster/progress.ts";
import { run } from "#test/cluster/shell.ts";
import { pushImage } from "#test/images/images.ts";
import { NAMESPACE, RELEASE, TENANT_NAMESPACE } from "./deploy.ts";
import type { ImageSources } from "./local-target.ts";
import { forwardPort, stopForwarder } from "./port-forward.ts";
import { isLoopback } from "./provider.ts";
import { loadSession, type Session, sessionDir } from "./session.ts";
import { removeSimulator } from "./simulator.ts";
import type { UpTarget } from "./target.ts";

/**
 * The cluster of the kubeconfig's current context; its nodes pull images from the registry in `IMAGE_REGISTRY`.
 * @throws Error when `IMAGE_REGISTRY` is not set, the cluster does not answer, or Hatchery is up on another one still.
 */
export async function openCurrentTarget(
  env: Readonly<Record<string, string | undefined>>,
  images: ImageSources,
): Promise<UpTarget> {
  const registry = env.IMAGE_REGISTRY?.replace(/\/+$/, "");
  if (!registry)
    throw new Error(
      "CLUSTER=current needs IMAGE_REGISTRY, a registry that you may push to and its nodes may pull from",
    );
  const { kubectl, helm } = await ensureKubeBinaries();
  const kubeconfig = await pinContext(kubectl, env.KUBECONFIG);
  await step("ask the cluster of the current context", () =>
    run([kubectl, "get", "--raw", "/readyz", "--kubeconfig", kubeconfig]),
  );
  const push = async (title: string, build: ImageSources[keyof ImageSources]) => {
    const { ref, tar } = await build();
    const remote = `${registry}/${ref.replace(/^localhost\//, "")}`;
    await step(`push ${title}`, () => pushImage(tar, remote));
    return remote;
  };
  const target: UpTarget = {
    kind: "current",
    kubeconfig,
    kubectl,
    helm,
    provideImages: async () => ({
      openclaw: await push("the OpenClaw image", images.openclaw),
      server: await push("the server image", images.server),
      postgres: await push("the Postgres image", images.postgres),
      simulator: await push("the model simulator", images.simulator),
    }),
    async provideModels(provider) {
      if (provider && isLoopback(provider.baseUrl))
        throw new Error(
          `MODEL_BASE_URL is "${provider.baseUrl}": the cluster's pods don't get to this machine by that`,
        );
      return provider;
    },
    async openService(namespace, service, port) {
      await stopForwarder((await loadSession("current"))?.forwarderPid);
      return forwardPort(target, namespace, service, port, await forwarderLog());
    },
  };
  return target;
}

const forwarderLog = async () => join(await sessionDir(), "port-forward.log");

/** What is read of a kubeconfig with one context. */
const kubeconfigSchema = z.object({ clusters: z.tuple([z.object({ cluster: z.object({ server: z.string() }) })]) });

/**
 * Writes the current context alone into a kubeconfig of its own, so that what is switched to later makes no difference, and
 * gives its path.
 */
async function pinContext(kubectl: string, from: string | undefined): Promise<string> {
  const view = async (KUBECONFIG: string | undefined) => {
    const text = await run([kubectl, "config", "view", "--minify", "--flatten", "--raw", "--output=json"], {
      env: { KUBECONFIG },
    });
    const { clusters } = kubeconfigSchema.parse(JSON.parse(text));
    return { text, server: clusters[0].cluster.server };
  };
  const { text, server } = await view(from || undefined);
  const previous = await loadSession("current");
  const before = previous && (await view(previous.kubeconfig)).server;
  if (before !== undefined && before !== server)
    throw new Error(`the current context is ${server}, Hatchery is up on ${before}: make down CLUSTER=current first`);
  const path = join(await sessionDir(), "current.kubeconfig");
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** Removes the release from a cluster that is not ours. Instances, their volumes and the CRDs stay: they are the users'. */
export async function removeRelease(session: Session): Promise<void> {
  await stopForwarder(session.forwarderPid);
  const args = ["uninstall", RELEASE, "--namespace", NAMESPACE, "--wait", "--ignore-not-found"];
  await step("remove the release", () => run([session.helm, ...args, "--kubeconfig", session.kubeconfig]));
  await step("remove the simulated model provider", () => removeSimulator(session));
  await rm(await forwarderLog(), { force: true });
  await rm(session.kubeconfig, { force: true });
  console.log(
    `The release is removed. Left as they are: the CRDs, keys and Postgres' volume in namespace ${NAMESPACE}, all instances (namespace ${TENANT_NAMESPACE} and others) and their volumes.`,
  );
}
