import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { keysReady, parseKeyRing } from "#lib/keys.ts";
import { readConfig } from "../api/config.ts";
import { readModelGatewayConfig } from "../api/model-gateway/config.ts";
import { readMigrateConfig } from "../api/store/migrate-config.ts";
import { readOperatorConfig } from "../operator/config.ts";
import { find, LEAST_VALUES, type Rendered, render } from "./chart.fixture.ts";
import type { Container, Deployment, EnvironmentVariable, Secret } from "./kinds.fixture.ts";

const BUILD_MS = 1_800_000;
let objects: Rendered[];

beforeAll(async () => {
  await keysReady();
  objects = await render();
}, BUILD_MS);

const podOf = (component: string, of = objects) =>
  find<Deployment>(of, "Deployment", `hatchery-${component}`).spec.template;

/** The environment of a process, its Secrets read as the kubelet would. */
function environment(component: string, of = objects): Record<string, string> {
  return environmentOf(podOf(component, of).spec.containers[0], of);
}

/** The environment of what runs before the API. */
function environmentOfMigrations(of = objects): Record<string, string> {
  return environmentOf(podOf("api", of).spec.initContainers?.[0], of);
}

function environmentOf(container: Container | undefined, of: readonly Rendered[]): Record<string, string> {
  return Object.fromEntries((container?.env ?? []).map((variable) => [variable.name, textOf(variable, of)]));
}

function textOf({ name, value, valueFrom }: EnvironmentVariable, of: readonly Rendered[]): string {
  if (value !== undefined) return value;
  if (valueFrom?.fieldRef) return `the pod's ${valueFrom.fieldRef.fieldPath}`;
  const { name: secret = "", key = "" } = valueFrom?.secretKeyRef ?? {};
  const text = find<Secret>(of, "Secret", secret).data[key];
  if (text === undefined) throw new Error(`${name}: Secret ${secret} has no ${key}`);
  return Buffer.from(text, "base64").toString();
}

describe("what the chart tells each process is what the process asks for", () => {
  it("operator", () => {
    expect(readOperatorConfig(environment("operator"))).toMatchObject({
      modelGatewayUrl: "http://hatchery-model-gateway.hatchery.svc:8080",
      opsPort: 9090,
      logLevel: "info",
      leaseName: "hatchery-operator",
      workers: 8,
      gatewayRecheckMs: 180_000,
      kubeconfig: undefined,
    });
  });

  it("api", () => {
    expect(readConfig(environment("api"))).toMatchObject({
      tenantNamespace: "hatchery-tenants",
      database: {
        host: "hatchery-postgres.hatchery.svc",
        port: 5432,
        user: "hatchery_api",
        database: "hatchery",
        password: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
        tls: "disable",
        caFile: undefined,
        poolMax: 10,
        statementTimeoutMs: 5000,
      },
      accessMode: "approved",
      admins: { userIds: [], emails: [], group: undefined },
      oidc: { issuers: [], leewaySeconds: 60, keyRefreshSeconds: 300, maxTokenAgeSeconds: 86_400, caFile: undefined },
      trustedProxies: [],
      allowedOrigins: [],
      ratePerMinute: 1200,
      rateBurst: 300,
      port: 8080,
      opsPort: 9090,
      drainSeconds: 300,
      kubeconfig: undefined,
    });
  });

  it("api, with every setting of its own", async () => {
    const access = {
      mode: "open",
      adminUserIds: ["auth0|x y", "root"],
      adminEmails: ["Ann@example.org"],
      adminGroup: "claw admins",
    };
    const api = {
      trustedProxies: ["10.42.0.0/16", "fd00::1"],
      allowedOrigins: ["https://console.example.org", "http://[::1]:3000"],
      rate: { perMinute: 60, burst: 5 },
      database: { poolMax: 3, statementTimeoutMs: 1500 },
    };
    expect(readConfig(environment("api", await render({ access, api })))).toMatchObject({
      accessMode: "open",
      admins: { userIds: access.adminUserIds, emails: ["ann@example.org"], group: "claw admins" },
      trustedProxies: api.trustedProxies,
      allowedOrigins: api.allowedOrigins,
      ratePerMinute: 60,
      rateBurst: 5,
      database: { poolMax: 3, statementTimeoutMs: 1500 },
    });
  });

  it("the migrations before it: the owner, and the role that the API works as", () => {
    const { database, role, logLevel } = readMigrateConfig(environmentOfMigrations());
    const api = readConfig(environment("api")).database;
    expect({ role, logLevel }).toEqual({ role: { name: api.user, password: api.password }, logLevel: "info" });
    expect(database).toMatchObject({ host: api.host, port: api.port, database: api.database, user: "hatchery" });
    expect(database.password).not.toBe(api.password);
  });

  it("model gateway, with keys from values and from a Secret of the user's", async () => {
    const modelProviders = [
      { name: "main", baseUrl: "https://a.example.org/v1/", apiKey: "sk-a" },
      {
        name: "on-site",
        baseUrl: "http://b.example.org",
        existingSecret: { name: "mine", key: "token" },
        timeoutSeconds: 60,
      },
    ];
    const mine = { apiVersion: "v1", kind: "Secret", metadata: { name: "mine" }, data: { token: btoa("sk-b") } };
    const config = readModelGatewayConfig(environment("model-gateway", [...(await render({ modelProviders })), mine]));
    expect([...config.providers.values()]).toEqual([
      { name: "main", baseUrl: "https://a.example.org/v1", apiKey: "sk-a", timeoutMs: 300_000 },
      { name: "on-site", baseUrl: "http://b.example.org", apiKey: "sk-b", timeoutMs: 60_000 },
    ]);
  });

  it("and no variable that nobody reads", () => {
    const read = {
      operator: [
        "OPENCLAW_ENCRYPTION_KEY",
        "OPS_PORT",
        "LOG_LEVEL",
        "MODEL_GATEWAY_URL",
        "POD_NAMESPACE",
        "POD_NAME",
        "LEASE_NAME",
        "WORKERS",
        "WATCH_NAMESPACES",
        "GATEWAY_RECHECK_SECONDS",
        "DNS_CIDRS",
      ],
      api: [
        "OPENCLAW_ENCRYPTION_KEY",
        "OPS_PORT",
        "LOG_LEVEL",
        "OA_INTERNAL_KEY",
        "TENANT_NAMESPACE",
        "DATABASE_URL",
        "DATABASE_PASSWORD",
        "DATABASE_POOL_MAX",
        "DATABASE_STATEMENT_TIMEOUT_MS",
        "ACCESS_MODE",
        "OA_ADMIN_USER_IDS",
        "OA_ADMIN_EMAILS",
        "OIDC_ISSUERS",
        "OIDC_CLOCK_LEEWAY_SECONDS",
        "OIDC_KEY_REFRESH_SECONDS",
        "OIDC_MAX_TOKEN_AGE_SECONDS",
        "TRUSTED_PROXIES",
        "ALLOWED_ORIGINS",
        "RATE_PER_MINUTE",
        "RATE_BURST",
        "PORT",
        "MAX_STREAMS_PER_TENANT",
        "DRAIN_SECONDS",
      ],
      "model-gateway": [
        "OPENCLAW_ENCRYPTION_KEY",
        "OPS_PORT",
        "LOG_LEVEL",
        "MODEL_PROVIDERS",
        "PROVIDER_KEY_MAIN",
        "PORT",
        "DRAIN_SECONDS",
      ],
    };
    for (const [component, names] of Object.entries(read)) expect(Object.keys(environment(component))).toEqual(names);
    const migrations = ["DATABASE_URL", "DATABASE_PASSWORD", "DATABASE_API_ROLE", "DATABASE_API_PASSWORD", "LOG_LEVEL"];
    expect(Object.keys(environmentOfMigrations())).toEqual(migrations);
  });
});

describe("keys", () => {
  it("are a root key of 32 bytes and an internal key that is long enough", () => {
    const { OPENCLAW_ENCRYPTION_KEY: root = "", OA_INTERNAL_KEY: internal = "" } = environment("api");
    expect(parseKeyRing(root)).toHaveLength(1);
    expect(internal).toMatch(/^[A-Za-z0-9]{48}$/);
  });

  it("are the same in the Secret and in the checksums that would replace pods", () => {
    const { data } = find<Secret>(objects, "Secret", "hatchery-keys");
    const yaml = Object.entries(data)
      .map(([name, text]) => `${name}: ${text}`)
      .sort()
      .join("\n");
    const expected = createHash("sha256").update(yaml).digest("hex");
    for (const component of ["operator", "api", "model-gateway"]) {
      expect(podOf(component).metadata.annotations["checksum/keys"]).toBe(expected);
    }
  });

  it("have one more for the internal listener, where there is one, and nobody reaches that unless told who", async () => {
    const all = await render({ api: { control: { enabled: true } } });
    const { data } = find<Secret>(all, "Secret", "hatchery-keys");
    expect(atob(data.OA_CONTROL_KEY ?? "")).toMatch(/^[A-Za-z0-9]{48}$/);
    const [container] = podOf("api", all).spec.containers;
    expect(container?.env.map(({ name }) => name)).toEqual(expect.arrayContaining(["OA_CONTROL_KEY", "CONTROL_PORT"]));
    const controlOf = (objects: Rendered[]) =>
      objects.filter(
        (object) => object.kind === "NetworkPolicy" && JSON.stringify(object).includes('"port":"control"'),
      );
    expect(controlOf(all)).toEqual([]);
    const allowFrom = [{ podSelector: { matchLabels: { app: "first-party" } } }];
    expect(controlOf(await render({ api: { control: { enabled: true, allowFrom } } }))).toHaveLength(1);
    expect(find(all, "Service", "hatchery-api-control")).toMatchObject({ spec: { type: "ClusterIP" } });
    expect(JSON.stringify(objects)).not.toMatch(/control/);
  });

  it("stand in one Secret each and have one name there, in the environment and for every process", async () => {
    const all = await render({ api: { control: { enabled: true } } });
    const named = new Set<string>();
    for (const object of all.filter(({ kind }) => kind === "Deployment" || kind === "CronJob")) {
      const from = [...JSON.stringify(object).matchAll(/"name":"(\w+)","valueFrom":\{"secretKeyRef":(\{[^}]*\})/g)];
      for (const [, variable = "", reference = "{}"] of from) {
        const { name, key } = JSON.parse(reference) as { name: string; key: string };
        if (name === "hatchery-keys") named.add(`${key} as ${variable}`);
      }
    }
    const keys = Object.keys(find<Secret>(all, "Secret", "hatchery-keys").data);
    expect([...named].sort()).toEqual(keys.map((key) => `${key} as ${key}`).sort());
    const secrets = all.filter(({ kind }) => kind === "Secret") as Secret[];
    const values = secrets.flatMap(({ data }) => Object.values(data));
    expect(new Set(values).size).toBe(values.length);
  });

  it("are new each time", async () => {
    const root = (all: Rendered[]) => find<Secret>(all, "Secret", "hatchery-keys").data.OPENCLAW_ENCRYPTION_KEY;
    expect(root(await render())).not.toBe(root(objects));
  });

  it("come from a Secret of the user's when one is named", async () => {
    const all = await render({ keys: { existingSecret: "mine" } });
    expect(all.some(({ kind, metadata }) => kind === "Secret" && metadata.name === "hatchery-keys")).toBe(false);
    const [container] = podOf("api", all).spec.containers;
    expect(
      container?.env.filter((variable) => variable.valueFrom?.secretKeyRef?.name === "mine").map(({ name }) => name),
    ).toEqual(["OPENCLAW_ENCRYPTION_KEY", "OA_INTERNAL_KEY"]);
  });

  it("of providers stand in no pod and no other object but their Secret", () => {
    const [provider] = LEAST_VALUES.modelProviders as { apiKey: string }[];
    const holders = objects.filter((object) => JSON.stringify(object).includes(btoa(provider?.apiKey ?? "")));
    expect(holders.map(({ metadata }) => metadata.name)).toEqual(["hatchery-model-providers"]);
    expect(JSON.stringify(objects)).not.toContain(`"${provider?.apiKey}"`);
  });
});
