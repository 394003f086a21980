import { isRecord } from "#lib/kube/canonical-json.ts";
import type { JsonPatchOperation } from "#lib/kube/client.ts";
import type { KubeObject } from "#lib/kube/types.ts";

/** An object after a JSON patch (RFC 6902), as far as plans use it. @throws Error for a path that is not there. */
export function edited(live: KubeObject, operations: readonly JsonPatchOperation[]): KubeObject {
  const next = structuredClone(live);
  const read = (pointer: string) => {
    const { holder, key } = locate(next, pointer);
    if (!(key in holder)) throw new Error(`${pointer} is not there`);
    return holder[key];
  };
  for (const operation of operations) {
    const { holder, key } = locate(next, operation.path);
    if (operation.op === "remove") {
      read(operation.path);
      delete holder[key];
    } else holder[key] = "from" in operation ? read(operation.from) : operation.value;
  }
  return next;
}

/** The record and key that a JSON pointer names. */
function locate(object: object, pointer: string): { holder: Record<string, unknown>; key: string } {
  const keys = pointer
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/"));
  const key = keys.pop() ?? "";
  const holder = keys.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], object);
  if (!isRecord(holder)) throw new Error(`${pointer} is nowhere`);
  return { holder, key };
}
