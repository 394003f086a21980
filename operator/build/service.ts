import { GATEWAY_PORT, LABEL, type OpenClawInstance } from "#crds/index.ts";
import type { Service } from "#lib/kube/resource.ts";
import { childMetadata, MANAGED_BY } from "./identity.ts";

/** The stable address of an instance's gateway. It selects the slot's pod, not whatever bears the instance's name. */
export function buildService(instance: OpenClawInstance, slot: string): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: childMetadata(instance),
    spec: {
      type: "ClusterIP",
      selector: { ...MANAGED_BY, [LABEL.slot]: slot },
      ports: [{ name: "gateway", port: GATEWAY_PORT, targetPort: GATEWAY_PORT, protocol: "TCP" }],
    },
  };
}

/** URL of the gateway inside the cluster. */
export function serviceEndpoint(service: { name: string; namespace: string }): string {
  return `http://${service.name}.${service.namespace}.svc:${GATEWAY_PORT}`;
}
