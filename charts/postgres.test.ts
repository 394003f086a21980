import { beforeAll, describe, expect, it } from "vitest";
import { keysReady } from "#lib/keys.ts";
import { readConfig } from "../api/config.ts";
import { readMigrateConfig } from "../api/store/migrate-config.ts";
import { EXTERNAL_DATABASE, find, type Rendered, render, renderAs, type Values } from "./chart.fixture.ts";
import type { Container, Deployment, NetworkPolicy } from "./kinds.fixture.ts";

/** The first run on a machine compiles helm. */
const BUILD_MS = 1_800_000;
let objects: Rendered[];
let external: Rendered[];

beforeAll(async () => {
  await keysReady();
  [objects, external] = [await render(), await render(EXTERNAL_DATABASE)];
}, BUILD_MS);

const podOf = (kind: string, name: string, of = objects) => find<Deployment>(of, kind, name).spec.template;
const apiOf = (of: readonly Rendered[]) => find<Deployment>(of, "Deployment", "hatchery-api").spec.template.spec;
const policyOf = (name: string, of = objects) => find<NetworkPolicy>(of, "NetworkPolicy", name).spec;
const variable = (container: Container | undefined, name: string) => container?.env.find((one) => one.name === name);

/** A container's environment; whatever comes from Secrets is a text that passes for a key. */
function plainEnvironment(container: Container | undefined): Record<string, string> {
  const text = "a".repeat(64);
  return Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value ?? text]));
}

describe("the API's pod", () => {
  it("migrates with the owner's password, which the API is never told", () => {
    for (const all of [objects, external]) {
      const { initContainers = [], containers } = apiOf(all);
      const [migrate] = initContainers;
      expect(initContainers.map(({ name, command }) => ({ name, command }))).toEqual([
        { name: "migrate", command: ["node", "/app/migrate.mjs"] },
      ]);
      const owner = variable(migrate, "DATABASE_PASSWORD")?.valueFrom?.secretKeyRef;
      expect(owner).toBeDefined();
      expect(JSON.stringify(containers)).not.toContain(JSON.stringify(owner).slice(1, -1));
      expect(variable(containers[0], "DATABASE_PASSWORD")).toEqual({
        ...variable(migrate, "DATABASE_API_PASSWORD"),
        name: "DATABASE_PASSWORD",
      });
    }
  });

  it("runs the migrations with the least a container can have", () => {
    const [migrate] = apiOf(objects).initContainers ?? [];
    expect(migrate).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      resources: {
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { cpu: expect.any(String), memory: expect.any(String) },
      },
    });
  });
});

describe("the bundled Postgres", () => {
  it("is one pod on one volume, with the least a pod can have", () => {
    const { spec } = find<Deployment>(objects, "StatefulSet", "hatchery-postgres");
    expect(spec.replicas).toBe(1);
    expect(spec.template.spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, runAsUser: 999, fsGroup: 999, seccompProfile: { type: "RuntimeDefault" } },
    });
    expect(spec.template.spec.volumes).toContainEqual({
      name: "data",
      persistentVolumeClaim: { claimName: find(objects, "PersistentVolumeClaim", "hatchery-postgres").metadata.name },
    });
    expect(spec.template.spec.containers).toHaveLength(1);
    expect(spec.template.spec.containers[0]).toMatchObject({
      image: "docker.io/library/postgres:17.6-bookworm",
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
      resources: { limits: { memory: expect.any(String) } },
    });
  });

  it("is told what the official image reads, with its data in a folder of the volume", () => {
    const [container] = podOf("StatefulSet", "hatchery-postgres").spec.containers;
    expect(container?.env.map(({ name }) => name)).toEqual([
      "POSTGRES_USER",
      "POSTGRES_PASSWORD",
      "POSTGRES_DB",
      "POSTGRES_INITDB_ARGS",
      "PGDATA",
    ]);
    expect(variable(container, "PGDATA")?.value).toBe("/data/pgdata");
    expect(container?.volumeMounts).toContainEqual({ name: "data", mountPath: "/data" });
    expect(container?.args).toEqual(["-c", "max_connections=100"]);
  });

  it("is where the URLs of API and migrations say, also in a release of another name", async () => {
    const all = await renderAs("prod");
    const { initContainers, containers } = find<Deployment>(all, "Deployment", "prod-hatchery-api").spec.template.spec;
    find(all, "Service", "prod-hatchery-postgres");
    for (const container of [initContainers?.[0], containers[0]]) {
      expect(variable(container, "DATABASE_URL")?.value).toMatch(
        /@prod-hatchery-postgres\.hatchery\.svc:5432\/hatchery$/,
      );
    }
  });

  it("is reached by the API and the ledger's check alone, and reaches nobody", () => {
    const { podSelector, policyTypes, ingress, egress } = policyOf("hatchery-postgres");
    const { labels } = podOf("StatefulSet", "hatchery-postgres").metadata;
    expect(labels).toMatchObject(podSelector.matchLabels);
    expect({ policyTypes, egress }).toEqual({ policyTypes: ["Ingress", "Egress"], egress: [] });
    const from = ["hatchery-api", "hatchery-ledger"].map((name) => ({ podSelector: policyOf(name).podSelector }));
    expect(ingress).toEqual([{ ports: [{ protocol: "TCP", port: "postgres" }], from }]);
    expect(policyOf("hatchery-api").egress).toContainEqual({
      ports: [{ protocol: "TCP", port: 5432 }],
      to: [{ podSelector }],
    });
  });

  it("is not among those whose metrics are scraped", () => {
    const { selector } = find<{ spec: { selector: Record<string, string> } }>(
      objects,
      "Service",
      "hatchery-metrics",
    ).spec;
    expect(podOf("Deployment", "hatchery-api").metadata.labels).toMatchObject(selector);
    expect(podOf("StatefulSet", "hatchery-postgres").metadata.labels).not.toMatchObject(selector);
  });

  it("takes its passwords from a Secret of the user's when one is named", async () => {
    const all = await render({ postgres: { existingSecret: "mine" } });
    expect(all.some(({ kind, metadata }) => kind === "Secret" && metadata.name === "hatchery-postgres")).toBe(false);
    const { initContainers, containers } = apiOf(all);
    const refs = [
      ...(initContainers ?? []),
      ...containers,
      ...podOf("StatefulSet", "hatchery-postgres", all).spec.containers,
    ]
      .flatMap(({ env }) => env.map(({ valueFrom }) => valueFrom?.secretKeyRef))
      .filter((ref) => ref?.name === "mine");
    expect(refs.map((ref) => ref?.key)).toEqual(["OWNER_PASSWORD", "API_PASSWORD", "API_PASSWORD", "OWNER_PASSWORD"]);
  });
});

describe("a Postgres of somebody else's", () => {
  it("leaves nothing of the bundled one", () => {
    expect(external.filter(({ metadata }) => metadata.name === "hatchery-postgres")).toEqual([]);
  });

  it("is reached by its name, roles and passwords, its certificate checked", () => {
    const { initContainers, containers, volumes } = apiOf(external);
    const [migrate, api] = [initContainers?.[0], containers[0]];
    const where = { host: "db.example.org", port: 5432, database: "hatchery", tls: "verify-full", caFile: undefined };
    expect(readConfig(plainEnvironment(api)).database).toMatchObject({ ...where, user: "hatchery_api" });
    const told = readMigrateConfig(plainEnvironment(migrate));
    expect(told.database).toMatchObject({ ...where, user: "hatchery_owner" });
    expect(told.role).toEqual({ name: "hatchery_api", password: expect.any(String) });
    expect(variable(migrate, "DATABASE_PASSWORD")?.valueFrom?.secretKeyRef).toEqual({
      name: "database-owner",
      key: "password",
    });
    expect(variable(api, "DATABASE_PASSWORD")?.valueFrom?.secretKeyRef).toEqual({
      name: "database-api",
      key: "password",
    });
    expect(volumes).toBeUndefined();
  });

  it("may have an odd address and odd names, authorities of its own, and somebody who sees to the API's role", async () => {
    const { owner } = EXTERNAL_DATABASE.externalDatabase;
    const all = await render({
      ...EXTERNAL_DATABASE,
      externalDatabase: {
        ...EXTERNAL_DATABASE.externalDatabase,
        host: "2001:db8::7",
        port: 6432,
        name: "claws+1",
        owner: { ...owner, user: "owner@server" },
        manageApiRole: false,
        tls: { caSecret: { name: "database-ca", key: "root.pem" } },
        cidrs: ["2001:db8::7/128"],
      },
    });
    const { initContainers, containers, volumes } = apiOf(all);
    const where = { host: "2001:db8::7", port: 6432, database: "claws+1", caFile: "/etc/hatchery/postgres/ca.crt" };
    expect(readConfig(plainEnvironment(containers[0])).database).toMatchObject(where);
    const told = readMigrateConfig(plainEnvironment(initContainers?.[0]));
    expect(told.database).toMatchObject({ ...where, user: "owner@server" });
    expect(told.role).toEqual({ name: "hatchery_api", password: undefined });
    expect(volumes).toEqual([
      { name: "postgres-ca", secret: { secretName: "database-ca", items: [{ key: "root.pem", path: "ca.crt" }] } },
    ]);
    for (const container of [initContainers?.[0], containers[0]]) {
      expect(container?.volumeMounts).toEqual([
        { name: "postgres-ca", mountPath: "/etc/hatchery/postgres", readOnly: true },
      ]);
    }
    expect(policyOf("hatchery-api", all).egress).toContainEqual({
      ports: [{ protocol: "TCP", port: 6432 }],
      to: [{ ipBlock: { cidr: "2001:db8::7/128" } }],
    });
  });

  it("may be anywhere unless its addresses are told", () => {
    expect(policyOf("hatchery-api", external).egress).toContainEqual({ ports: [{ protocol: "TCP", port: 5432 }] });
  });
});

describe("values that are refused, by name", () => {
  const { externalDatabase } = EXTERNAL_DATABASE;
  const without = (part: Values) => ({ ...EXTERNAL_DATABASE, externalDatabase: { ...externalDatabase, ...part } });

  it.each<[string, Values, string]>([
    ["no Postgres at all", { postgres: { enabled: false } }, "externalDatabase.host is empty"],
    ["no owner", without({ owner: {} }), "externalDatabase.owner.user is empty"],
    [
      "no password of the owner",
      without({ owner: { user: "o" } }),
      "externalDatabase.owner.existingSecret.name is empty",
    ],
    ["no password of the API's role", without({ api: {} }), "externalDatabase.api.existingSecret.name is empty"],
    [
      "the owner as the API's role",
      without({ api: { ...externalDatabase.api, user: "hatchery_owner" } }),
      'externalDatabase.api.user: "hatchery_owner" is the owner too',
    ],
    ["a host with a port", without({ host: "db.example.org:5432" }), "/externalDatabase/host"],
    ["a host with a user", without({ host: "me@db" }), "/externalDatabase/host"],
    ["a role for the API that needs quotes", without({ api: { user: "Api" } }), "/externalDatabase/api/user"],
    ["a database with a query", without({ name: "a?b" }), "/externalDatabase/name"],
    ["a way of TLS that is none", without({ tls: { mode: "prefer" } }), "/externalDatabase/tls/mode"],
    [
      "more connections than Postgres takes",
      { api: { replicas: 9, database: { poolMax: 10 } } },
      "postgres.maxConnections: 100 are too few for 9 replicas",
    ],
    ["a volume of no size", { postgres: { storage: { size: "10GB" } } }, "/postgres/storage/size"],
    ["an access mode", { access: { mode: "closed" } }, "/access/mode"],
    ["an admin with a comma", { access: { adminUserIds: ["a,b"] } }, "/access/adminUserIds/0"],
    ["an admin's address that is none", { access: { adminEmails: ["ann"] } }, "/access/adminEmails/0"],
    ["a proxy that is everybody", { api: { trustedProxies: ["0.0.0.0/0"] } }, "/api/trustedProxies/0"],
    ["a proxy by name", { api: { trustedProxies: ["proxy.example"] } }, "/api/trustedProxies/0"],
    ["an origin with a path", { api: { allowedOrigins: ["https://a.example.org/"] } }, "/api/allowedOrigins/0"],
    ["every origin", { api: { allowedOrigins: ["*"] } }, "/api/allowedOrigins/0"],
    ["no time for statements", { api: { database: { statementTimeoutMs: 1 } } }, "/api/database/statementTimeoutMs"],
  ])("%s", async (_, values, words) => {
    await expect(render(values)).rejects.toThrow(words);
  });
});
