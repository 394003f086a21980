import { beforeAll, describe, expect, it } from "vitest";
import { find, LEAST_VALUES, type Rendered, render, renderAs, type Values } from "./chart.fixture.ts";
import type { Deployment, NetworkPolicy, Role } from "./kinds.fixture.ts";

const COMPONENTS = ["operator", "api", "model-gateway"];
/** The first run on a machine compiles helm. */
const BUILD_MS = 1_800_000;
let objects: Rendered[];

beforeAll(async () => {
  objects = await render();
}, BUILD_MS);

const deployment = (component: string, of = objects) => find<Deployment>(of, "Deployment", `hatchery-${component}`);
const ofKind = <T>(kind: string, of = objects) => of.filter((object) => object.kind === kind) as unknown as T[];

describe("rights", () => {
  const rules = (kind: string, name: string, of = objects) => find<Role>(of, kind, name).rules;
  /** The verbs of each resource. */
  const granted = (kind: string, name: string, of = objects) => {
    const all = rules(kind, name, of).flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) => resources.map((resource) => ({ key: `${group}/${resource}`, verbs }))),
    );
    const byKey = Map.groupBy(all, ({ key }) => key);
    return Object.fromEntries([...byKey].map(([key, entries]) => [key, entries.flatMap(({ verbs }) => verbs)]));
  };

  it("are never wildcards, nor the right to give rights", () => {
    const all = [...ofKind<Role>("ClusterRole"), ...ofKind<Role>("Role")].flatMap((role) => role.rules);
    const words = all.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs]);
    expect(words).not.toContain("*");
    for (const word of ["impersonate", "escalate", "bind", "pods/exec", "serviceaccounts/token", "deletecollection"]) {
      expect(words).not.toContain(word);
    }
  });

  it("of the API: instances in the tenants' namespace, and nothing of the cluster", () => {
    expect(find(objects, "Role", "hatchery-api").metadata.namespace).toBe("hatchery-tenants");
    expect(granted("Role", "hatchery-api")).toEqual({
      "hatchery.openagents.com/openclawinstances": ["get", "list", "watch", "create", "patch", "delete"],
    });
    expect(objects.some(({ kind, metadata }) => kind === "ClusterRole" && metadata.name.endsWith("-api"))).toBe(false);
  });

  it("of the model gateway: classes to read", () => {
    expect(rules("ClusterRole", "hatchery-model-gateway")).toEqual([
      { apiGroups: ["hatchery.openagents.com"], resources: ["openclawclasses"], verbs: ["get", "list", "watch"] },
    ]);
    expect(objects.some(({ kind, metadata }) => kind === "Role" && metadata.name.includes("model-gateway"))).toBe(
      false,
    );
  });

  const kept = ["get", "list", "watch", "create", "patch"];
  const replaced = [...kept, "delete"];
  const inNamespaces = {
    "hatchery.openagents.com/openclawinstances": ["get", "list", "watch"],
    "hatchery.openagents.com/openclawinstances/status": ["patch"],
    "hatchery.openagents.com/openclawinstances/finalizers": ["update"],
    "/secrets": replaced,
    "/configmaps": replaced,
    "/services": replaced,
    "/persistentvolumeclaims": kept,
    "/pods": replaced,
    "networking.k8s.io/networkpolicies": replaced,
    "events.k8s.io/events": ["create", "patch"],
  };

  it("of the operator: what it does, and no verb more", () => {
    expect(granted("ClusterRole", "hatchery-operator")).toEqual({
      ...inNamespaces,
      "hatchery.openagents.com/openclawclasses": ["get", "list", "watch"],
      "hatchery.openagents.com/openclawclasses/status": ["patch"],
      "/nodes": ["get", "list", "watch"],
    });
    expect(find(objects, "Role", "hatchery-operator").metadata.namespace).toBe("hatchery");
    expect(granted("Role", "hatchery-operator")).toEqual({ "coordination.k8s.io/leases": ["create", "get", "update"] });
  });

  it("of the operators of a release: the Lease they compete for, and not that of another release beside it", async () => {
    for (const [name, all] of [
      ["hatchery-operator", objects],
      ["prod-hatchery-operator", await renderAs("prod")],
    ] as const) {
      const { env } = find<Deployment>(all, "Deployment", name).spec.template.spec.containers[0] ?? {};
      expect(env).toContainEqual({ name: "LEASE_NAME", value: name });
      for (const { verbs, resourceNames } of rules("Role", name, all)) {
        expect(resourceNames).toEqual(verbs.includes("create") ? undefined : [name]);
      }
    }
  });

  it("of an operator of some namespaces: the same in these, and of the cluster only to read classes", async () => {
    const watchNamespaces = ["hatchery-tenants", "team-a"];
    const all = await render({ operator: { watchNamespaces } });
    expect(granted("ClusterRole", "hatchery-operator", all)).toEqual({
      "hatchery.openagents.com/openclawclasses": ["get", "list", "watch"],
    });
    for (const kind of ["Role", "RoleBinding"]) {
      const of = ofKind<Rendered>(kind, all).filter(({ metadata }) => metadata.name === "hatchery-operator-instances");
      expect(of.map(({ metadata }) => metadata.namespace)).toEqual(watchNamespaces);
      if (kind === "Role")
        for (const role of of) expect(granted(kind, role.metadata.name, [role])).toEqual(inNamespaces);
    }
  });
});

describe("network policies", () => {
  it.each(COMPONENTS)("select the pods of %s, both ways", (component) => {
    const { spec } = find<NetworkPolicy>(objects, "NetworkPolicy", `hatchery-${component}`);
    const { labels } = deployment(component).spec.template.metadata;
    expect(labels).toMatchObject(spec.podSelector.matchLabels);
    expect(spec.podSelector.matchLabels).toMatchObject({ "app.kubernetes.io/component": component });
    expect(spec.policyTypes).toEqual(["Ingress", "Egress"]);
  });

  it("let the model gateway out to its providers' ports", async () => {
    const providers = ["https://a.example.org/v1", "http://b.example.org", "http://c.example.org:9000/v1"];
    const modelProviders = providers.map((baseUrl, i) => ({ name: `p${i}`, baseUrl, apiKey: "k" }));
    const models = [{ name: "default", provider: "p0", providerModel: "m" }];
    const all = await render({
      modelProviders,
      standardClass: { ...(LEAST_VALUES.standardClass as Values), models },
      modelGateway: { providerPorts: [8443] },
    });
    const { egress } = find<NetworkPolicy>(all, "NetworkPolicy", "hatchery-model-gateway").spec;
    expect(
      egress
        .at(-1)
        ?.ports.map(({ port }) => port)
        .sort((a, b) => a - b),
    ).toEqual([80, 443, 8443, 9000]);
  });

  it("keep scrapers out until they are named", async () => {
    const ops = (all: Rendered[]) =>
      ofKind<NetworkPolicy>("NetworkPolicy", all).filter(({ spec }) => JSON.stringify(spec.ingress).includes('"ops"'));
    expect(ops(objects)).toEqual([]);
    expect(ops(await render({ metrics: { allowFrom: [{ namespaceSelector: {} }] } }))).toHaveLength(3);
  });

  it("narrow the apiserver to its addresses when they are known", async () => {
    const all = await render({ network: { kubernetesApi: { cidrs: ["10.0.0.1/32"], ports: [6443] } } });
    for (const component of COMPONENTS) {
      const { spec } = find<NetworkPolicy>(all, "NetworkPolicy", `hatchery-${component}`);
      expect(spec.egress).toContainEqual({
        ports: [{ protocol: "TCP", port: 6443 }],
        to: [{ ipBlock: { cidr: "10.0.0.1/32" } }],
      });
    }
  });

  it("can be left out", async () => {
    expect(ofKind("NetworkPolicy", await render({ network: { policies: false } }))).toEqual([]);
  });
});
