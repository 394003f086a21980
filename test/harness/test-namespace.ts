import { randomBytes } from "node:crypto";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import type { KubeAccess } from "#lib/kube/config.ts";
import { NAMESPACES } from "#lib/kube/resource.ts";
import { createLogger } from "#lib/log.ts";

/** A client of a real apiserver and a namespace that nobody else uses. */
export interface TestNamespace extends AsyncDisposable {
  readonly client: KubeClient;
  readonly namespace: string;
}

/** Makes a namespace whose name begins with `prefix`; the namespace is deleted and the client closed in the end. */
export async function createTestNamespace(access: KubeAccess, prefix: string): Promise<TestNamespace> {
  const client = createKubeClient({ config: access, userAgent: "hatchery-test", log: createLogger("test", "silent") });
  const namespace = `${prefix}-${randomBytes(4).toString("hex")}`;
  await client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  return {
    client,
    namespace,
    async [Symbol.asyncDispose]() {
      await client.delete(NAMESPACES, { name: namespace });
      await client.close();
    },
  };
}
