import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PODS } from "#lib/kube/resource.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { connectSystem, type System } from "./system.ts";
import { User } from "./user.ts";

let system: System;
let alice: User;
const pods: string[] = [];

beforeAll(async () => {
  system = await connectSystem();
  alice = new User(system, "alice");
  await alice.ensureInstance();
});
afterAll(async () => {
  if (pods.length > 0) await kubectl("delete", "pod", "--grace-period=0", "--force", ...pods);
  await system[Symbol.asyncDispose]();
});

/** kubectl in the namespace of the release. */
const kubectl = (...args: string[]) => system.machine.kubectl("--namespace", system.namespace, ...args);

/** What psql prints, asked as a role inside the pod, where no password is needed. */
const psql = (role: string, text: string) =>
  kubectl("exec", "hatchery-postgres-0", "--", "psql", "-U", role, "-d", "hatchery", "-Atc", text);

async function scalePostgres(replicas: number): Promise<void> {
  await kubectl("scale", `--replicas=${replicas}`, "statefulset/hatchery-postgres");
  await system.until(PODS, { namespace: system.namespace, name: "hatchery-postgres-0" }, (pod) =>
    replicas === 0
      ? pod === undefined
      : pod?.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") === true,
  );
}

describe.each(["audit_events", "ledger_entries"])("%s", (table) => {
  it.each([
    ["update", `update ${table} set seq = 0`],
    ["delete", `delete from ${table}`],
    ["truncate", `truncate ${table}`],
  ])("is nothing the API's role may %s, and the owner neither", async (_, statement) => {
    await expect(psql("hatchery_api", statement)).rejects.toThrow(`permission denied for table ${table}`);
    await expect(psql("hatchery", statement)).rejects.toThrow(`${table} rows are never changed`);
    expect(await psql("hatchery_api", `select count(*) >= 0 from ${table}`)).toBe("t\n");
  });
});

describe("Postgres", () => {
  it("is reached by who passes for the API to the network, and not by a stranger", async () => {
    const [image, address] = await Promise.all([
      kubectl("get", "statefulset/hatchery-postgres", "--output", "jsonpath={.spec.template.spec.containers[0].image}"),
      kubectl("get", "service/hatchery-postgres", "--output", "jsonpath={.spec.clusterIP}"),
    ]);
    const labels = JSON.parse(
      await kubectl("get", "networkpolicy/hatchery-api", "--output", "jsonpath={.spec.podSelector.matchLabels}"),
    ) as Record<string, string>;
    const said = async (name: string, given: Record<string, string>) => {
      pods.push(name);
      await system.machine.apply(JSON.stringify(asker(name, image, address, given)));
      await system.until(PODS, { namespace: system.namespace, name }, (pod) => pod?.status?.phase === "Succeeded");
      return (await kubectl("logs", name)).trim();
    };
    const suffix = randomUUID().slice(0, 8);
    expect(await said(`api-like-${suffix}`, labels)).toBe(`${address}:5432 - accepting connections`);
    expect(await said(`stranger-${suffix}`, { app: "stranger" })).toBe(`${address}:5432 - no response`);
  });

  it("goes and comes back: turns run on, calls are told to come again, and what was known is known", async () => {
    const api = () => kubectl("get", "pods", "--selector", "app.kubernetes.io/component=api", "--output", API_PODS);
    const before = await api();
    const turn = alice.chat("SLOW:60:500", `s-${randomUUID()}`);
    const first = await turn.next();
    expect(first.done).toBe(false);
    let reply = first.done ? "" : first.value.text;
    await scalePostgres(0);
    try {
      const refused = await new User(system, `u-${randomUUID()}`).call("GET", "/api/openclaw/instance");
      expect(refused).toMatchObject({ status: 503, json: { ok: false, code: "store_unavailable" } });
      expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
      for await (const delta of turn) reply += delta.text;
      expect(reply).toContain("w59");
    } finally {
      await scalePostgres(1);
    }
    await waitFor(
      "the API to reach Postgres",
      async () => (await alice.call("GET", "/api/openclaw/instance")).status === 200,
    );
    expect(await psql("hatchery", "select count(*) from users where tenant_key = 'human:alice'")).toBe("1\n");
    expect(await api()).toBe(before);
  });
});

/** Name, restarts and readiness of each. */
const API_PODS =
  'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].restartCount} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';

/** A pod that asks once whether Postgres answers. */
function asker(name: string, image: string, address: string, labels: Record<string, string>): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: system.namespace, labels },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      containers: [{ name: "asker", image, command: ["sh", "-c", `pg_isready --timeout=10 --host=${address}; true`] }],
    },
  };
}
