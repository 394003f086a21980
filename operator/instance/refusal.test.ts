import { describe, expect, it } from "vitest";
import { KubeError } from "#lib/kube/errors.ts";
import { PODS } from "#lib/kube/resource.ts";
import { refusalOf } from "./refusal.ts";

const body = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } };
const create = { verb: "create", step: "pod", type: PODS, body } as const;

function error(status: number, message: string, details?: unknown): KubeError {
  return new KubeError(message, { status, reason: "Forbidden", details });
}

describe("a refusal of the apiserver", () => {
  const terminating = { causes: [{ reason: "NamespaceTerminating" }] };
  it.each<[string, KubeError, string]>([
    ["a quota", error(403, 'pods "p" is forbidden: exceeded quota: q, requested: pods=1'), "QuotaExceeded"],
    ["PodSecurity", error(403, 'pods "p" is forbidden: violates PodSecurity "restricted:latest"'), "ChildRefused"],
    ["a validation", error(422, 'Pod "p" is invalid: spec.containers: Required value'), "ChildRefused"],
    [
      "a right we lack",
      error(403, 'pods is forbidden: User "system:serviceaccount:h:o" cannot create resource "pods"'),
      "ReconcileFailed",
    ],
    ["a namespace being deleted", error(403, "unable to create new content in namespace", terminating), "Terminating"],
  ])("by %s", (_, refused, reason) => {
    expect(refusalOf(refused, create)).toMatchObject({ step: "pod", reason });
  });

  it("is none when the apiserver was not there or not well", () => {
    for (const status of [0, 409, 429, 500, 503]) expect(refusalOf(error(status, "x"), create)).toBeUndefined();
    expect(refusalOf(new Error("x"), create)).toBeUndefined();
  });
});
