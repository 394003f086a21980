import { Registry } from "prom-client";
import { systemClock } from "#lib/clock.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { NAMESPACES } from "#lib/kube/resource.ts";
import { type Query, resourcePath } from "#lib/kube/resource-path.ts";
import { createTransport } from "#lib/kube/transport.ts";
import type { ObjectRef, ResourceType } from "#lib/kube/types.ts";
import { createLogger } from "#lib/log.ts";

/** Bare requests with any query parameter, and any body: the client would not send what is wrong. */
export interface Apiserver {
  create(type: ResourceType, object: object, query?: Query): Promise<Answered>;
  mergePatch(type: ResourceType, ref: ObjectRef, patch: object, subresource?: "status"): Promise<Answered>;
  get(type: ResourceType, ref: ObjectRef): Promise<Answered>;
  delete(type: ResourceType, ref: ObjectRef): Promise<unknown>;
  /** Creates a namespace for one test file. */
  createNamespace(name: string): Promise<void>;
  close(): Promise<void>;
}

/** An object as the apiserver answers it. */
export interface Answered {
  metadata: { name: string };
  spec: Record<string, unknown>;
  status?: Record<string, unknown>;
}

/** Connects to the apiserver of a kubeconfig. */
export function connect(kubeconfig: string): Apiserver {
  const transport = createTransport({
    access: loadKubeAccess(kubeconfig),
    userAgent: "hatchery-test",
    log: createLogger("test", "silent"),
    clock: systemClock,
    registry: new Registry(),
  });
  const send = async (
    method: "GET" | "POST" | "PATCH" | "DELETE",
    path: string,
    body?: object,
    contentType = "application/json",
  ) =>
    JSON.parse(
      await transport.request({ method, path, ...(body ? { body: JSON.stringify(body), contentType } : {}) }),
    ) as Answered;
  const at = (type: ResourceType, { name, namespace }: ObjectRef, subresource?: string) =>
    resourcePath(type, { name, namespace, subresource });
  return {
    create: (type, object, query) => {
      const { namespace } = (object as { metadata: ObjectRef }).metadata;
      return send("POST", resourcePath(type, { namespace }, query), object);
    },
    mergePatch: (type, ref, patch, subresource) =>
      send("PATCH", at(type, ref, subresource), patch, "application/merge-patch+json"),
    get: (type, ref) => send("GET", at(type, ref)),
    delete: (type, ref) => send("DELETE", at(type, ref)),
    createNamespace: async (name) => {
      await send("POST", resourcePath(NAMESPACES), { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    },
    close: () => transport.close(),
  };
}
