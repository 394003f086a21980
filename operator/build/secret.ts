import { ANNOTATION, LABEL, type OpenClawInstance } from "#crds/index.ts";
import { gatewayToken, modelKey, type RootKey } from "#lib/keys.ts";
import type { Secret } from "#lib/kube/resource.ts";
import { childMetadata } from "./identity.ts";

/** Keys of the pod's Secret. */
export const SECRET_KEY = { gatewayToken: "gateway-token", modelKey: "model-key" } as const;

/** The credentials of a slot, as the pod gets them. Everything in it can be derived again from the root key. */
export function buildSecret(instance: OpenClawInstance, slot: string, key: RootKey): Secret {
  const metadata = childMetadata(instance, { [LABEL.slot]: slot });
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...metadata, annotations: { [ANNOTATION.keyId]: key.id } },
    type: "Opaque",
    data: {
      [SECRET_KEY.gatewayToken]: base64(gatewayToken(key, slot)),
      [SECRET_KEY.modelKey]: base64(modelKey(key, slot)),
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
