import { beforeAll, describe, expect, it } from "vitest";
import { classSchema } from "#crds/index.ts";
import {
  CHART,
  EXTERNAL_DATABASE,
  find,
  helm,
  LEAST_VALUES,
  type Rendered,
  render,
  type Values,
} from "./chart.fixture.ts";

/** The first run on a machine compiles helm. */
const BUILD_MS = 1_800_000;
let objects: Rendered[];

beforeAll(async () => {
  objects = await render();
}, BUILD_MS);

const ofKind = <T>(kind: string, of = objects) => of.filter((object) => object.kind === kind) as unknown as T[];

it("passes helm's strict linter, with and without values", async () => {
  expect(await helm(["lint", "--strict", CHART])).toContain("0 chart(s) failed");
  expect(await helm(["lint", "--strict", CHART], LEAST_VALUES)).toContain("0 chart(s) failed");
});

describe("what outlives an uninstall", () => {
  it("is kinds, tenants, keys and what Postgres holds, and nothing else", () => {
    const kept = objects.filter(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"] === "keep");
    expect(kept.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      "CustomResourceDefinition openclawclasses.hatchery.openagents.com",
      "CustomResourceDefinition openclawinstances.hatchery.openagents.com",
      "Namespace hatchery-tenants",
      "PersistentVolumeClaim hatchery-postgres",
      "Secret hatchery-keys",
      "Secret hatchery-postgres",
    ]);
  });

  it("may be less: kinds that go, a namespace, keys and a database that others look after", async () => {
    const all = await render({
      crds: { keep: false },
      tenantNamespace: { create: false },
      keys: { existingSecret: "mine" },
      ...EXTERNAL_DATABASE,
    });
    expect(all.some(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"])).toBe(false);
    expect(ofKind("CustomResourceDefinition", all)).toHaveLength(2);
    expect(ofKind("CustomResourceDefinition", await render({ crds: { install: false } }))).toEqual([]);
  });

  it("the tenants' namespace takes restricted pods only", () => {
    expect(find(objects, "Namespace", "hatchery-tenants").metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
    });
  });
});

describe("the class standard", () => {
  it("is one the schema takes", async () => {
    const standard = find(objects, "OpenClawClass", "standard");
    expect(classSchema.safeParse(standard).error).toBeUndefined();
    expect(ofKind("OpenClawClass", await render({ standardClass: { create: false } }))).toEqual([]);
  });

  it("is an ordinary object where its kind is known, and a hook before", async () => {
    const annotations = (all: Rendered[]) => find(all, "OpenClawClass", "standard").metadata.annotations;
    expect(annotations(objects)).toMatchObject({ "helm.sh/hook": "post-install,post-upgrade" });
    expect(
      annotations(await render({}, "--api-versions", "hatchery.openagents.com/v1alpha1/OpenClawClass")),
    ).toBeUndefined();
  });
});

describe("values that are refused, by name", () => {
  const [provider] = LEAST_VALUES.modelProviders as Values[];
  const leastClass = LEAST_VALUES.standardClass as Values;
  const models = [{ name: "default", provider: "other", providerModel: "m" }];

  it.each<[string, Values, string]>([
    ["an unknown value", { colour: "red" }, "colour"],
    ["an unknown value deep inside", { api: { service: { prot: 1 } } }, "prot"],
    ["no provider", { modelProviders: [] }, "modelProviders is empty: give at least one"],
    ["a provider without URL", { modelProviders: [{ name: "main", apiKey: "k" }] }, "baseUrl"],
    ...["https://ann:pw@example.org/v1", "https://example.org/v1?key=k", "https://example.org/#x"].map(
      (baseUrl): [string, Values, string] => [
        `a provider's URL ${baseUrl}`,
        { modelProviders: [{ ...provider, baseUrl }] },
        "/modelProviders/0/baseUrl",
      ],
    ),
    [
      "a provider's key with a line end",
      { modelProviders: [{ ...provider, apiKey: "sk-key\n" }] },
      "/modelProviders/0/apiKey",
    ],
    [
      "a provider with a URL that is none",
      { modelProviders: [{ ...provider, baseUrl: "example.org" }] },
      "/modelProviders/0/baseUrl",
    ],
    [
      "a provider without key",
      { modelProviders: [{ ...provider, apiKey: undefined }] },
      '"main" needs either apiKey or existingSecret',
    ],
    [
      "a provider with two keys",
      { modelProviders: [{ ...provider, existingSecret: { name: "a", key: "b" } }] },
      '"main" needs either apiKey or existingSecret',
    ],
    ["a provider twice", { modelProviders: [provider, provider] }, 'two are named "main"'],
    ["no server image", { image: {} }, "image.repository is empty: build and push the images"],
    [
      "no runtime image",
      { standardClass: { ...leastClass, image: undefined } },
      "standardClass.image is empty: build and push",
    ],
    ["a class without models", { standardClass: { models: [] } }, "standardClass.models is empty"],
    [
      "a class of an unknown provider",
      { standardClass: { models } },
      'names provider "other", which is not in modelProviders (main)',
    ],
    ["a class with an unknown field", { standardClass: { drainSecond: 1 } }, "drainSecond"],
    ["a class with a bad field", { standardClass: { storage: { size: "5GB" } } }, "/standardClass/storage/size"],
    ["tenants beside the keys", { tenantNamespace: { name: "hatchery" } }, "is the namespace of the release"],
    [
      "an operator that does not see the tenants",
      { operator: { watchNamespaces: ["elsewhere"] } },
      '"hatchery-tenants" is missing',
    ],
    [
      "an operator of the namespace of the release",
      { operator: { watchNamespaces: ["hatchery-tenants", "hatchery"] } },
      "is the namespace of the release",
    ],
    ["a namespace twice", { operator: { watchNamespaces: ["a", "a"] } }, "each once, not a, a"],
    ["three operators", { operator: { replicas: 3 } }, "/operator/replicas"],
    ["a log level", { logLevel: "loud" }, "/logLevel"],
    ["limits without memory", { api: { resources: { limits: null } } }, "limits"],
    ["a service type", { api: { service: { type: "ExternalName" } } }, "/api/service/type"],
  ])("%s", async (_, values, words) => {
    await expect(render(values)).rejects.toThrow(words);
  });
});
