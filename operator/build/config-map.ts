import { ANNOTATION, type OpenClawInstance } from "#crds/index.ts";
import type { ConfigMap } from "#lib/kube/resource.ts";
import { digest } from "./digest.ts";
import { childMetadata } from "./identity.ts";

/** Name of the configuration inside the ConfigMap and the directory it is mounted as. */
export const CONFIG_FILE = "openclaw.json";

/** Name of the configuration to go back to, while another is on trial. No pod mounts it. */
export const PREVIOUS_FILE = "previous.json";

/**
 * The rendered OpenClaw configuration, with the image it is for: the release that pods are made from. It holds names of
 * environment variables where secrets go, never a secret.
 */
export function buildConfigMap(instance: OpenClawInstance, config: string, image: string): ConfigMap {
  const annotations = { [ANNOTATION.configDigest]: digest(config), [ANNOTATION.image]: image };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...childMetadata(instance), annotations },
    data: { [CONFIG_FILE]: config },
  };
}
