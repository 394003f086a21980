import type { Step } from "#crds/index.ts";
import type { JsonPatchOperation } from "#lib/kube/client.ts";
import type { KubeObject, ResourceType } from "#lib/kube/types.ts";

/** One thing to do to a child. */
export type Write<T extends KubeObject = KubeObject> = {
  readonly type: ResourceType<T>;
  /** The link of the chain it belongs to, should it fail. */
  readonly step: Step;
} & (
  | { readonly verb: "create"; readonly body: T }
  /** Brings `live` to `body`; costs no request when it is so already. */
  | { readonly verb: "apply"; readonly body: T; readonly live: T }
  /** Merge patch. */
  | { readonly verb: "patch"; readonly live: T; readonly patch: object }
  /** JSON patch, against exactly this version of `live`. */
  | { readonly verb: "edit"; readonly live: T; readonly operations: readonly JsonPatchOperation[] }
  /** `force`: at once, without its node's word: if that is no more, or whatever it does, for the pod writes to nothing. */
  | { readonly verb: "delete"; readonly live: T; readonly force?: "nodeGone" | "harmless" }
);

/** Several kinds in one list: each write is of one kind, checked where it is made. */
export function write<T extends KubeObject>(w: Write<T>): Write {
  return w as unknown as Write;
}
