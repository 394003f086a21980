import { GROUP, INSTANCES, type OpenClawInstance, PHASE, VERSION } from "#crds/index.ts";
import { keysReady, newSlot, parseKeyRing } from "#lib/keys.ts";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { NAMESPACES } from "#lib/kube/resource.ts";
import { createLogger } from "#lib/log.ts";
import { forEachOf } from "../kit/for-each.ts";
import { userName } from "./load/connection.ts";

/** Where the instances are. */
export const TENANT_NAMESPACE = "tenants";
/** The root key their tokens are made of. */
export const ROOT_KEY = "b7".repeat(32);

/** Requests to the apiserver at a time. */
const CONCURRENCY = 16;

/** Gives each user a Ready instance, at an address of its own, on which the upstream answers. Plays the operator. */
export async function createTenants(kubeconfig: string, users: number, upstreamPort: number): Promise<void> {
  await keysReady();
  const [{ id: keyId }] = parseKeyRing(ROOT_KEY);
  const log = createLogger("bench", "warn");
  const client = createKubeClient({ config: loadKubeAccess(kubeconfig), userAgent: "hatchery-bench", log });
  await client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: TENANT_NAMESPACE } });
  await forEachOf(users, CONCURRENCY, (index) =>
    createTenant(client, index, { keyId, podIP: addressOf(index), port: upstreamPort }),
  );
  await client.close();
}

async function createTenant(
  client: KubeClient,
  index: number,
  gateway: { keyId: string; podIP: string; port: number },
): Promise<void> {
  const ref = { namespace: TENANT_NAMESPACE, name: userName(index) };
  const { metadata } = await client.create(INSTANCES, {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: INSTANCES.kind,
    metadata: ref,
    spec: { owner: { subject: userName(index) } },
  } as OpenClawInstance);
  const runtime = { name: `openclaw-${ref.name}`, slot: newSlot(), ...gateway };
  const status = { observedGeneration: metadata.generation, phase: PHASE.Ready, runtime };
  await client.mergePatch(INSTANCES, ref, { status }, { subresource: "status" });
}

/** The n-th address of 127.1.0.0 and up. */
function addressOf(n: number): string {
  return `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
}
