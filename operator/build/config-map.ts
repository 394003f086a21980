import { ANNOTATION, type OpenClawInstance } from "#crds/index.ts";
import type { ConfigMap } from "#lib/kube/resource.ts";
import { digest } from "./digest.ts";
import { childMetadata } from "./identity.ts";

/** Name of the configuration inside the ConfigMap and the directory it is mounted as. */
export const CONFIG_FILE = "openclaw.json";

/** The rendered OpenClaw configuration. It holds names of environment variables where secrets go, never a secret. */
export function buildConfigMap(instance: OpenClawInstance, config: string): ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...childMetadata(instance), annotations: { [ANNOTATION.configDigest]: digest(config) } },
    data: { [CONFIG_FILE]: config },
  };
}
