import { randomBytes } from "node:crypto";
import type { KubeClient } from "#lib/kube/client.ts";
import { CUSTOM_RESOURCE_DEFINITIONS } from "#lib/kube/resource.ts";
import type { KubeObject, ResourceType } from "#lib/kube/types.ts";

/** An object whose spec and status may hold anything. */
export interface Thing extends KubeObject {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** A kind of a test's own, with a status subresource, in a group nobody else uses. */
export interface TestKind extends AsyncDisposable {
  readonly type: ResourceType<Thing>;
}

/** Makes the kind and waits until it is served; it is deleted in the end. */
export async function createTestKind(client: KubeClient): Promise<TestKind> {
  const group = `g${randomBytes(4).toString("hex")}.test.invalid`;
  const type: ResourceType<Thing> = { group, version: "v1", kind: "Thing", plural: "things", namespaced: true };
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const { kind, plural } = type;
  const definition = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, plural },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: "object", properties: { spec: anything, status: anything } } },
        },
      ],
    },
  };
  const made = await client.create(CUSTOM_RESOURCE_DEFINITIONS as unknown as ResourceType<KubeObject>, definition);
  await established(client, made);
  return {
    type,
    async [Symbol.asyncDispose]() {
      await client.delete(CUSTOM_RESOURCE_DEFINITIONS, made.metadata);
    },
  };
}

async function established(client: KubeClient, { metadata }: KubeObject): Promise<void> {
  const { signal } = new AbortController();
  const fieldSelector = `metadata.name=${metadata.name}`;
  const options = { resourceVersion: metadata.resourceVersion ?? "", fieldSelector, signal };
  for await (const event of client.watch(CUSTOM_RESOURCE_DEFINITIONS, options)) {
    if (event.type === "BOOKMARK") continue;
    const { conditions = [] } = event.object.status ?? {};
    if (conditions.some((condition) => condition.type === "Established" && condition.status === "True")) return;
  }
}
