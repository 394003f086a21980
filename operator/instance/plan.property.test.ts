import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { OpenClawInstance } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import type { KubeObject } from "#lib/kube/types.ts";
import { deletionPolicy } from "../build/claim.ts";
import { ModelApiserver } from "./model-apiserver.fixture.ts";
import { plan } from "./plan.fixture.ts";
import type { Plan } from "./plan.ts";
import { judgePod } from "./pod-verdict.ts";
import { deriveStatus, deriveTerminating } from "./status.ts";
import { NOW, OTHER_SLOT } from "./view.fixture.ts";
import type { View } from "./view.ts";
import { podStatus, viewOf, world } from "./world.fixture.ts";

beforeAll(keysReady);

function statusOf(view: View, made: Plan) {
  return deriveStatus(view.instance, { ...made, pod: view.pod }, NOW);
}

describe("a plan of whatever there is", () => {
  it("is made without a throw, and so is the status", () => {
    fc.assert(
      fc.property(world, (w) => {
        const view = viewOf(w);
        const status = statusOf(view, plan(view));
        expect(status.conditions?.map(({ type }) => type)).toContain("Ready");
        deriveTerminating(view.instance, NOW);
      }),
      { numRuns: 1_500 },
    );
  });

  it("comes from a judgement of its pod that never throws", () => {
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "openclaw-alice" } };
    fc.assert(
      fc.property(podStatus, (status) => {
        const { reason, message, failsAt } = judgePod({ ...pod, status: status as never }, NOW);
        expect([typeof reason, typeof message]).toEqual(["string", "string"]);
        expect(failsAt).not.toBeNaN();
      }),
      { numRuns: 10_000 },
    );
  });

  it("writes nothing more once it is carried out", async () => {
    await fc.assert(
      fc.asyncProperty(world, async (w) => {
        const server = new ModelApiserver(viewOf(w));
        await server.carryOut(plan(server.view).writes);
        server.requests.length = 0;
        await server.carryOut(plan(server.view, NOW, OTHER_SLOT).writes);
        expect(server.requests).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("never deletes a volume claim, and gives one an owner only under the policy that says so", () => {
    fc.assert(
      fc.property(world, (w) => {
        const view = viewOf(w);
        const ofClaims = plan(view).writes.filter(({ type }) => type.kind === "PersistentVolumeClaim");
        expect(ofClaims.map(({ verb }) => verb)).not.toContain("delete");
        if (deletionPolicy(view.instance, view.class?.spec) === "Delete") return;
        for (const write of ofClaims) {
          const object =
            write.verb === "patch" ? (write.patch as Partial<KubeObject>) : "body" in write ? write.body : {};
          expect(object.metadata?.ownerReferences ?? []).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("settles: the status that follows from a status already told is that status", () => {
    fc.assert(
      fc.property(world, (w) => {
        const view = viewOf(w);
        const told = (status: OpenClawInstance["status"]): View => ({
          ...view,
          instance: { ...view.instance, ...(status ? { status } : {}) },
        });
        const next = told(statusOf(view, plan(view)));
        const settled = told(statusOf(next, plan(next)));
        expect(statusOf(settled, plan(settled))).toEqual(settled.instance.status);
      }),
      { numRuns: 500 },
    );
  });
});
