import { beforeAll, describe, expect, it } from "vitest";
import { readVerifyConfig } from "../api/ledger/verify-config.ts";
import { EXTERNAL_DATABASE, find, type Rendered, render } from "./chart.fixture.ts";
import type { Container, CronJob, Deployment, NetworkPolicy } from "./kinds.fixture.ts";

/** The first run on a machine compiles helm. */
const BUILD_MS = 1_800_000;
const NAME = "hatchery-ledger";
let objects: Rendered[];
let external: Rendered[];

beforeAll(async () => {
  const { externalDatabase } = EXTERNAL_DATABASE;
  const tls = { caSecret: { name: "database-ca" } };
  objects = await render();
  external = await render({ ...EXTERNAL_DATABASE, externalDatabase: { ...externalDatabase, tls } });
}, BUILD_MS);

const jobOf = (of = objects) => find<CronJob>(of, "CronJob", NAME).spec;
const podOf = (of = objects) => jobOf(of).jobTemplate.spec.template;
const containerOf = (of = objects) => podOf(of).spec.containers[0];

/** Its environment; whatever comes from Secrets is some text. */
function environment(container: Container | undefined): Record<string, string> {
  return Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value ?? "some-text"]));
}

describe("the check of ledger and audit log", () => {
  it("runs each night, one at a time, with the least a pod can have", () => {
    expect(jobOf()).toMatchObject({ schedule: "23 3 * * *", timeZone: "Etc/UTC", concurrencyPolicy: "Forbid" });
    expect(podOf().spec).toMatchObject({
      serviceAccountName: find(objects, "ServiceAccount", NAME).metadata.name,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: "Never",
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
    });
    expect(containerOf()).toMatchObject({
      command: ["node", "/app/ledger.mjs", "verify"],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      resources: { limits: { memory: expect.any(String) } },
    });
  });

  it.each([
    ["the bundled Postgres", () => objects],
    ["a Postgres of somebody else's", () => external],
  ])("reads %s as the API does, in its role, and is told nothing else", (_, of) => {
    const api = find<Deployment>(of(), "Deployment", "hatchery-api").spec.template.spec;
    const ofApi = new Map(api.containers[0]?.env.map((variable) => [variable.name, variable]));
    for (const variable of containerOf(of())?.env ?? []) expect(variable).toEqual(ofApi.get(variable.name));
    expect(readVerifyConfig(environment(containerOf(of())))).toMatchObject({
      user: "hatchery_api",
      database: "hatchery",
    });
    expect(containerOf(of())?.volumeMounts).toEqual(api.containers[0]?.volumeMounts);
    expect(podOf(of()).spec.volumes).toEqual(api.volumes);
  });

  it("reaches the database alone, is reached by nobody and is not scraped", () => {
    const { podSelector, policyTypes, ingress, egress } = find<NetworkPolicy>(objects, "NetworkPolicy", NAME).spec;
    const { labels } = podOf().metadata;
    expect(labels).toMatchObject(podSelector.matchLabels);
    expect({ policyTypes, ingress }).toEqual({ policyTypes: ["Ingress", "Egress"], ingress: [] });
    const postgres = find<NetworkPolicy>(objects, "NetworkPolicy", "hatchery-postgres").spec;
    expect(egress.map(({ ports, to }) => [ports.map(({ port }) => port), to])).toEqual([
      [[53, 53], undefined],
      [[5432], [{ podSelector: postgres.podSelector }]],
    ]);
    for (const service of ["hatchery-metrics", "hatchery-api"]) {
      const { selector } = find<{ spec: { selector: object } }>(objects, "Service", service).spec;
      expect(labels).not.toMatchObject(selector);
    }
  });

  it("runs when it is told to, or never", async () => {
    expect(jobOf(await render({ ledgerCheck: { schedule: "@hourly" } })).schedule).toBe("@hourly");
    const without = await render({ ledgerCheck: { schedule: "" } });
    expect(without.filter(({ metadata }) => metadata.name === NAME)).toEqual([]);
  });

  it.each(["nightly", "23 3 * *", "23 3 * * * *", "@reboot", "23 3 * * *\n"])("is not told %j", async (schedule) => {
    await expect(render({ ledgerCheck: { schedule } })).rejects.toThrow("/ledgerCheck/schedule");
  });
});
