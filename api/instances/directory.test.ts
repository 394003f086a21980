import fc from "fast-check";
import { expect, it } from "vitest";
import { GROUP, type OpenClawInstance, VERSION } from "#crds/index.ts";
import type { Informer } from "#lib/kube/informer.ts";
import { createDirectory } from "./directory.ts";
import { type InstancePosition, positionOf } from "./position.ts";

function instance(name: string, second: number): OpenClawInstance {
  const creationTimestamp = `2026-01-01T00:00:0${second}Z`;
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: "OpenClawInstance",
    metadata: { name, namespace: "tenants", creationTimestamp },
    spec: { owner: { subject: name, kind: "Human" }, className: "standard", runPolicy: "OnDemand" },
  };
}

function directoryOf(instances: OpenClawInstance[]) {
  const informer: Pick<Informer<OpenClawInstance>, "list" | "byIndex" | "onChange"> = {
    list: () => instances,
    byIndex: () => [],
    onChange: () => () => undefined,
  };
  return createDirectory(informer as Informer<OpenClawInstance>);
}

it("lists everybody's instances page by page, newest first, each once, whatever comes and goes meanwhile", () => {
  const distinct = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,3}$/), fc.integer({ min: 0, max: 9 })), {
    selector: ([name]) => name,
    maxLength: 30,
  });
  fc.assert(
    fc.property(distinct, fc.integer({ min: 1, max: 7 }), fc.nat(), (made, limit, gone) => {
      const instances = made.map(([name, second]) => instance(name, second));
      const directory = directoryOf(instances);
      const seen: OpenClawInstance[] = [];
      let after: InstancePosition | undefined;
      for (;;) {
        const page = directory.list({ after, limit });
        expect(page.length).toBeLessThanOrEqual(limit);
        seen.push(...page);
        const last = page.at(-1);
        if (!last) break;
        after = positionOf(last);
        // The one at which a page ended may be deleted before the next one is read.
        if (instances.indexOf(last) === gone % made.length) instances.splice(instances.indexOf(last), 1);
      }
      const order = seen.map(({ metadata }) => `${metadata.creationTimestamp} ${metadata.name}`);
      expect(order).toEqual(order.toSorted().toReversed());
      expect(seen).toHaveLength(made.length);
      expect(new Set(order).size).toBe(made.length);
    }),
  );
});
