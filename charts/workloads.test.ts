import { beforeAll, describe, expect, it } from "vitest";
import { find, LEAST_VALUES, type Rendered, render, renderAs, type Values } from "./chart.fixture.ts";
import type { Deployment } from "./kinds.fixture.ts";

const COMPONENTS = ["operator", "api", "model-gateway"];
/** What Node is told beside the file to run. */
const NODE_FLAGS: Readonly<Record<string, readonly string[]>> = {
  operator: ["--max-semi-space-size=4", "--initial-old-space-size=24", "--heap-growing-percent=20"],
};
/** The first run on a machine compiles helm. */
const BUILD_MS = 1_800_000;
let objects: Rendered[];

beforeAll(async () => {
  objects = await render();
}, BUILD_MS);

const deployment = (component: string, of = objects) => find<Deployment>(of, "Deployment", `hatchery-${component}`);
const ofKind = <T>(kind: string, of = objects) => of.filter((object) => object.kind === kind) as unknown as T[];

describe("pods", () => {
  it.each(COMPONENTS)("%s runs with the least a pod can have", (component) => {
    const { spec } = deployment(component).spec.template;
    expect(spec).toMatchObject({
      serviceAccountName: `hatchery-${component}`,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
    });
    expect(spec.containers).toHaveLength(1);
    expect(spec.containers[0]).toMatchObject({
      command: ["node", ...(NODE_FLAGS[component] ?? []), `/app/${component}.mjs`],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      resources: {
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { cpu: expect.any(String), memory: expect.any(String) },
      },
      readinessProbe: { httpGet: { path: "/readyz", port: "ops" } },
      livenessProbe: { httpGet: { path: "/livez", port: "ops" } },
    });
  });

  it("are the only ones to get a token of their accounts", () => {
    const accounts = ofKind<{ automountServiceAccountToken: boolean }>("ServiceAccount");
    expect(accounts.map((account) => account.automountServiceAccountToken)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it("are one each, but for the operator's leader and its warm standby", () => {
    const counts = COMPONENTS.map((component) => deployment(component).spec.replicas);
    expect(counts).toEqual([2, 1, 1]);
  });

  it("get a disruption budget and a spread only when there are several", async () => {
    const many = await render({ operator: { replicas: 1 }, api: { replicas: 3 } });
    for (const [of, component] of [
      [objects, "operator"],
      [many, "api"],
    ] as const) {
      const budgets = ofKind<Rendered>("PodDisruptionBudget", of).map(({ metadata }) => metadata.name);
      expect(budgets).toEqual([`hatchery-${component}`]);
      expect(deployment(component, of).spec.template.spec.topologySpreadConstraints).toHaveLength(1);
    }
    expect(deployment("operator", many).spec.template.spec.topologySpreadConstraints).toBeUndefined();
  });

  it("are named by the release", async () => {
    const names = (await renderAs("prod")).map(({ metadata }) => metadata.name);
    expect(names).toContain("prod-hatchery-operator");
    const own = (await render({ fullnameOverride: "claws" })).map(({ metadata }) => metadata.name);
    expect(own).toContain("claws-keys");
  });
});

describe("a change of", () => {
  // Nothing is generated, which would be new each time.
  const rolled = async (values: Values) => {
    const keys = { keys: { existingSecret: "mine" }, postgres: { existingSecret: "mine" } };
    const [before, after] = [await render(keys), await render({ ...keys, ...values })];
    return COMPONENTS.filter((component) => {
      const [a, b] = [deployment(component, before), deployment(component, after)].map((d) =>
        JSON.stringify(d.spec.template),
      );
      return a !== b;
    });
  };
  const [provider] = LEAST_VALUES.modelProviders as Values[];

  it.each<[string, Values, string[]]>([
    ["nothing", {}, []],
    ["a provider's key", { modelProviders: [{ ...provider, apiKey: "sk-other" }] }, ["model-gateway"]],
    [
      "a provider's address",
      { modelProviders: [{ ...provider, baseUrl: "https://other.example.org/v1" }] },
      ["model-gateway"],
    ],
    ["the class", { standardClass: { ...(LEAST_VALUES.standardClass as Values), drainSeconds: 5 } }, []],
    ["tenants' DNS servers", { network: { dnsCidrs: ["169.254.20.10/32"] } }, ["operator"]],
    ["the tenants' namespace", { tenantNamespace: { name: "people" } }, ["api"]],
    ["who is an admin", { access: { adminUserIds: ["root"] } }, ["api"]],
    ["how much Postgres takes", { postgres: { existingSecret: "mine", maxConnections: 50 } }, []],
    ["the image", { image: { ...(LEAST_VALUES.image as Values), tag: "other" } }, COMPONENTS],
    ["who may scrape", { metrics: { allowFrom: [{ namespaceSelector: {} }] } }, []],
  ])("%s replaces the pods it concerns", async (_, values, components) => {
    expect(await rolled(values)).toEqual(components);
  });
});
