import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { INSTANCES } from "#crds/index.ts";
import { CONFIG_MAPS, NETWORK_POLICIES } from "#lib/kube/resource.ts";
import { createLogger } from "#lib/log.ts";
import { ensureKubeBinaries } from "#test/cluster/binaries.ts";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { run } from "#test/cluster/shell.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { readAuditLog } from "#test/harness/audit-log.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import {
  adminClient,
  instanceNamed,
  isReady,
  OPERATOR_AGENT,
  startNode,
  startOperator,
  untilInstance,
} from "../operator/operator.fixture.ts";
import type { OperatorOptions } from "../operator/operator.ts";
import { findSuspects } from "../operator/sweep/orphans.ts";
import { createSweep } from "../operator/sweep/sweep.ts";
import {
  CHART,
  EXTERNAL_DATABASE,
  find,
  helm,
  LEAST_VALUES,
  NAMESPACE,
  type Rendered,
  render,
  type Values,
} from "./chart.fixture.ts";
import type { CronJob, Deployment, Secret } from "./kinds.fixture.ts";

/** A control plane of its own: the chart brings what there is one of in a cluster. */
let plane: ControlPlane;
const START_MS = 1_800_000;

beforeAll(async () => {
  plane = await startControlPlane({ audit: true });
}, START_MS);
afterAll(() => plane.stop());

const TENANTS = "hatchery-tenants";
const standardClass = LEAST_VALUES.standardClass as Values;

/** Without --wait: there are no nodes, and an install must not depend on it. */
function install(values: Values = {}): Promise<string> {
  const command = ["upgrade", "--install", "hatchery", CHART, "--namespace", NAMESPACE, "--create-namespace"];
  return helm([...command, "--kubeconfig", plane.kubeconfig], { ...LEAST_VALUES, ...values });
}

async function get<T = Rendered>(...args: string[]): Promise<T> {
  return JSON.parse(await plane.kubectl("get", ...args, "--output", "json")) as T;
}

/** What the apiserver would do to objects, told of every field it does not know. */
async function dryRun(manifest: string): Promise<string> {
  const { kubectl } = await ensureKubeBinaries();
  const flags = ["--dry-run=server", "--validate=strict", "--server-side", "--force-conflicts", "--filename", "-"];
  return run([kubectl, "--kubeconfig", plane.kubeconfig, "apply", ...flags], { input: manifest });
}

const secret = async (name: string) => (await get<Secret>("secret", name, "--namespace", NAMESPACE)).data;
const keys = () => secret("hatchery-keys");
const passwords = () => secret("hatchery-postgres");

async function generations(): Promise<Record<string, number>> {
  const { items } = await get<{ items: { metadata: { name: string; generation: number } }[] }>(
    "deployments",
    "--namespace",
    NAMESPACE,
  );
  return Object.fromEntries(items.map(({ metadata }) => [metadata.name, metadata.generation]));
}

/** In order: each step goes on from the state the one before it left. */
describe("the life of a release", () => {
  let first: Record<string, string>;
  let firstPasswords: Record<string, string>;

  it("installs on an empty cluster, kinds, their first object and all", async () => {
    const notes = await install();
    expect(notes).toContain("kubectl --namespace hatchery port-forward service/hatchery-api");
    expect(notes).toContain("Nobody may use the API yet");
    expect(notes).toContain("exec hatchery-postgres-0 -- pg_dump");
    const { spec } = await get<{ spec: { image: string; deletionPolicy: string } }>("clawclass", "standard");
    expect(spec).toMatchObject({ image: "hatchery/openclaw:2026.9.6", deletionPolicy: "Retain" });
    first = await keys();
    expect(Object.keys(first).sort()).toEqual(["OA_INTERNAL_KEY", "OPENCLAW_ENCRYPTION_KEY"]);
    firstPasswords = await passwords();
    expect(Object.keys(firstPasswords).sort()).toEqual(["API_PASSWORD", "OWNER_PASSWORD"]);
  });

  it("changes nothing when it is upgraded to itself", async () => {
    const before = await generations();
    expect(Object.values(before)).toEqual([1, 1, 1]);
    await install();
    expect(await generations()).toEqual(before);
    expect(await keys()).toEqual(first);
    expect(await passwords()).toEqual(firstPasswords);
    expect((await get("statefulset", "hatchery-postgres", "--namespace", NAMESPACE)).metadata).toMatchObject({
      generation: 1,
    });
  });

  it("carries changes of values to the class, and to the pods they concern", async () => {
    const [provider] = LEAST_VALUES.modelProviders as Values[];
    await install({
      standardClass: { ...standardClass, drainSeconds: 7 },
      modelProviders: [{ ...provider, apiKey: "sk-2" }],
    });
    const { spec } = await get<{ spec: { drainSeconds: number } }>("clawclass", "standard");
    expect(spec.drainSeconds).toBe(7);
    expect(await generations()).toEqual({ "hatchery-api": 1, "hatchery-model-gateway": 2, "hatchery-operator": 1 });
  });

  it("keeps a key ring that a person made of the key, and rolls the pods that hold it", async () => {
    const ring = btoa(`${"ab".repeat(32)},${atob(first.OPENCLAW_ENCRYPTION_KEY ?? "")}`);
    const patch = JSON.stringify({ data: { OPENCLAW_ENCRYPTION_KEY: ring } });
    await plane.kubectl("patch", "secret", "hatchery-keys", "--namespace", NAMESPACE, "--patch", patch);
    await helm([
      "upgrade",
      "hatchery",
      CHART,
      "--namespace",
      NAMESPACE,
      "--kubeconfig",
      plane.kubeconfig,
      "--reuse-values",
      "--force-conflicts",
    ]);
    expect((await keys()).OPENCLAW_ENCRYPTION_KEY).toBe(ring);
    expect(await generations()).toEqual({ "hatchery-api": 2, "hatchery-model-gateway": 3, "hatchery-operator": 2 });
    first = await keys();
  });

  it("refuses a class before anything is touched", async () => {
    await expect(install({ standardClass: { ...standardClass, storage: { size: "5GB" } } })).rejects.toThrow(
      "/standardClass/storage/size",
    );
  });

  it("takes a kind that grew: the CRD is an ordinary object of the release", async () => {
    const crd = "openclawinstances.hatchery.openagents.com";
    const path = "/spec/versions/0/additionalPrinterColumns";
    const patch = JSON.stringify([{ op: "remove", path }]);
    await plane.kubectl("patch", "crd", crd, "--type=json", `--patch=${patch}`);
    await helm([
      "upgrade",
      "hatchery",
      CHART,
      "--namespace",
      NAMESPACE,
      "--kubeconfig",
      plane.kubeconfig,
      "--reuse-values",
      "--force-conflicts",
    ]);
    const { spec } = await get<{ spec: { versions: { additionalPrinterColumns: object[] }[] } }>("crd", crd);
    expect(spec.versions[0]?.additionalPrinterColumns).toHaveLength(10);
  });

  it("leaves kinds, instances, tenants, keys and Postgres' volume at an uninstall, and finds them again", async () => {
    const claw = {
      apiVersion: "hatchery.openagents.com/v1alpha1",
      kind: "OpenClawInstance",
      metadata: { name: "alice", namespace: TENANTS },
    };
    await plane.apply(JSON.stringify({ ...claw, spec: { owner: { subject: "alice" } } }));
    await helm(["uninstall", "hatchery", "--namespace", NAMESPACE, "--kubeconfig", plane.kubeconfig]);
    for (const kind of ["deployments", "statefulsets"]) {
      expect((await get<{ items: object[] }>(kind, "--namespace", NAMESPACE)).items).toEqual([]);
    }
    const volume = () => get("persistentvolumeclaim", "hatchery-postgres", "--namespace", NAMESPACE);
    const before = (await volume()).metadata;
    await install();
    expect((await volume()).metadata).toMatchObject({ uid: before.uid });
    expect(await keys()).toEqual(first);
    expect(await passwords()).toEqual(firstPasswords);
    expect((await get("claw", "alice", "--namespace", TENANTS)).metadata.name).toBe("alice");
  });
});

const claws = "openclawinstances.hatchery.openagents.com";
const classes = "openclawclasses.hatchery.openagents.com";

describe("rights, as the apiserver grants them", () => {
  it.each<[string, string, string, string, "yes" | "no"]>([
    ["api", "create", claws, TENANTS, "yes"],
    ["api", "watch", claws, TENANTS, "yes"],
    ["api", "list", claws, NAMESPACE, "no"],
    ["api", "patch", `${claws}/status`, TENANTS, "no"],
    ["api", "get", "secrets", TENANTS, "no"],
    ["api", "get", "secrets", NAMESPACE, "no"],
    ["api", "list", "pods", TENANTS, "no"],
    ["api", "list", classes, "", "no"],
    ["model-gateway", "watch", classes, "", "yes"],
    ["model-gateway", "list", claws, TENANTS, "no"],
    ["model-gateway", "get", "secrets", NAMESPACE, "no"],
    ["operator", "watch", claws, "", "yes"],
    ["operator", "patch", claws, TENANTS, "no"],
    ["operator", "patch", `${claws}/status`, TENANTS, "yes"],
    ["operator", "create", claws, TENANTS, "no"],
    ["operator", "delete", claws, TENANTS, "no"],
    ["operator", "patch", classes, "", "no"],
    ["operator", "patch", `${classes}/status`, "", "yes"],
    ["operator", "delete", "pods", TENANTS, "yes"],
    ["operator", "delete", "secrets", TENANTS, "yes"],
    ["operator", "delete", "persistentvolumeclaims", TENANTS, "no"],
    ["operator", "create", "persistentvolumeclaims", "elsewhere", "yes"],
    ["operator", "create", "events.events.k8s.io", TENANTS, "yes"],
    ["operator", "create", "leases.coordination.k8s.io", NAMESPACE, "yes"],
    ["operator", "update", "leases.coordination.k8s.io", NAMESPACE, "no"],
    ["operator", "update", "leases.coordination.k8s.io", "kube-system", "no"],
    ["operator", "create", "pods/exec", TENANTS, "no"],
    ["operator", "create", "clusterrolebindings", "", "no"],
  ])("%s may %s %s in %j: %s", async (component, verb, resource, namespace, verdict) => {
    const account = `system:serviceaccount:${NAMESPACE}:hatchery-${component}`;
    const [name = "", subresource] = resource.split("/");
    const scope = namespace ? ["--namespace", namespace] : ["--all-namespaces"];
    const asked = [verb, name, ...(subresource ? ["--subresource", subresource] : []), ...scope, "--as", account];
    expect(await ask(...asked)).toMatch(new RegExp(`(^|\\n)${verdict}\\b`));
  });

  it("operator may keep the Lease of its release, and no other", async () => {
    const account = `system:serviceaccount:${NAMESPACE}:hatchery-operator`;
    for (const verb of ["get", "update"]) {
      for (const [name, verdict] of [
        ["hatchery-operator", "yes"],
        ["prod-hatchery-operator", "no"],
      ]) {
        const asked = [verb, `leases.coordination.k8s.io/${name}`, "--namespace", NAMESPACE, "--as", account];
        expect(await ask(...asked), `${verb} ${name}`).toMatch(new RegExp(`(^|\\n)${verdict}\\b`));
      }
    }
  });

  /** kubectl says no by its exit code as well. */
  function ask(...asked: string[]): Promise<string> {
    return plane
      .kubectl("auth", "can-i", ...asked)
      .catch((error: unknown) => (error instanceof Error ? error.message : ""));
  }
});

describe("the operator's rights, in use", () => {
  const admin = () => adminClient(plane.kubeconfig);

  /** A kubeconfig with the operator's account and nothing else. */
  async function kubeconfigOfOperator(): Promise<string> {
    const token = (await plane.kubectl("create", "token", "hatchery-operator", "--namespace", NAMESPACE)).trim();
    const config = parse(await readFile(plane.kubeconfig, "utf8")) as { users: { user: object }[] };
    for (const entry of config.users) entry.user = { token };
    const path = join(await mkdtemp(join(tmpdir(), "hatchery-rights-")), "kubeconfig");
    await writeFile(path, stringify(config), { mode: 0o600 });
    return path;
  }

  /** Makes an instance ready, corrects a child, gives it a policy of its own and takes that away again, and sweeps an orphan. */
  async function live(options: Partial<OperatorOptions>): Promise<void> {
    const client = admin();
    const node = await startNode(client, TENANTS);
    const path = await kubeconfigOfOperator();
    const clock = new ManualClock();
    const operator = await startOperator(path, TENANTS, options);
    const ref = { namespace: TENANTS, name: "carol" };
    const child = { namespace: TENANTS, name: "openclaw-carol" };
    try {
      await client.create(INSTANCES, instanceNamed(TENANTS, "carol"));
      await untilInstance(client, ref, isReady);
      await client.mergePatch(CONFIG_MAPS, child, { data: { "openclaw.json": "{}" } });
      const egress = [{ cidr: "203.0.113.0/24", ports: [22] }];
      await client.mergePatch(INSTANCES, ref, { spec: { network: { egress } } });
      await waitFor("a policy", () => client.get(NETWORK_POLICIES, child));
      await client.mergePatch(INSTANCES, ref, { spec: { network: null, image: "registry.test/openclaw:2" } });
      await untilInstance(client, ref, (i) => isReady(i) && i.status?.runtime?.image === "registry.test/openclaw:2");
      await waitFor("no policy", async () => !(await client.get(NETWORK_POLICIES, child)));
      await client.delete(INSTANCES, ref, { propagationPolicy: "Orphan" });
      const sweep = createSweep({ ...operator, clock, log: createLogger("test", "error"), registry: new Registry() });
      // Without the policy of the class, which others of the namespace use.
      await waitFor("orphans", () => findSuspects(operator.caches).length === 4);
      await sweep.sweep(AbortSignal.timeout(60_000));
      await clock.advance(660_000);
      expect(await sweep.sweep(AbortSignal.timeout(60_000))).toBe(4);
    } finally {
      await operator.stop();
      await node.stop();
      await client.close();
      await rm(dirname(path), { recursive: true });
    }
  }

  /** Requests of the operator that were refused for want of a right. */
  async function refused() {
    const all = await readAuditLog(plane.auditLog ?? "");
    return all.filter(({ code, userAgent }) => code === 403 && userAgent.startsWith(OPERATOR_AGENT));
  }

  it("are enough for the whole cluster, status of classes and all", async () => {
    await install();
    await live({ namespaces: undefined });
    const { status } = await get<{ status?: { instances?: number } }>("clawclass", "standard");
    expect(status?.instances).toBeTypeOf("number");
    expect(await refused()).toEqual([]);
  });

  it("are enough for the namespaces it is told of, and end there", async () => {
    await plane.apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "team-a" } }));
    const namespaces = [TENANTS, "team-a"];
    await install({ operator: { watchNamespaces: namespaces } });
    await live({ namespaces });
    expect(await refused()).toEqual([]);
    const account = `system:serviceaccount:${NAMESPACE}:hatchery-operator`;
    for (const asked of [
      ["list", "secrets"],
      ["watch", claws],
      ["patch", classes],
    ]) {
      const answer = plane.kubectl("auth", "can-i", ...asked, "--all-namespaces", "--as", account);
      await expect(answer).rejects.toThrow(/no/);
    }
    await install();
  });
});

const WORKLOADS = ["Deployment", "StatefulSet"];

describe("what the apiserver says of it", () => {
  it("takes every object, field by field", async () => {
    const all = await render(
      {
        api: { replicas: 2 },
        metrics: { allowFrom: [{ namespaceSelector: {} }] },
        network: { kubernetesApi: { cidrs: ["10.0.0.1/32"] } },
      },
      "--api-versions",
      "hatchery.openagents.com/v1alpha1/OpenClawClass",
    );
    const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: all });
    const said = await dryRun(list);
    expect(said.trim().split("\n")).toHaveLength(all.length);
  });

  it("takes those for somebody else's Postgres", async () => {
    const tls = { caSecret: { name: "database-ca" } };
    const externalDatabase = { ...EXTERNAL_DATABASE.externalDatabase, tls, cidrs: ["192.0.2.7/32"] };
    const all = (await render({ ...EXTERNAL_DATABASE, externalDatabase })).filter(
      ({ metadata }) => metadata.name === "hatchery-api",
    );
    const said = await dryRun(JSON.stringify({ apiVersion: "v1", kind: "List", items: all }));
    expect(said.trim().split("\n")).toHaveLength(all.length);
  });

  it("admits its pods where only restricted ones are", async () => {
    await plane.apply(
      JSON.stringify({
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: "strict", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
      }),
    );
    const all = await render();
    const check = find<CronJob>(all, "CronJob", "hatchery-ledger");
    const workloads = [
      ...(all as unknown as Deployment[]).filter(({ kind }) => WORKLOADS.includes(kind)),
      { metadata: check.metadata, spec: check.spec.jobTemplate.spec },
    ];
    expect(workloads).toHaveLength(5);
    for (const { metadata, spec } of workloads) {
      const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: metadata.name, namespace: "strict" } };
      const account = {
        apiVersion: "v1",
        kind: "ServiceAccount",
        metadata: { name: metadata.name, namespace: "strict" },
      };
      await plane.apply(JSON.stringify(account));
      await expect(plane.apply(JSON.stringify({ ...pod, spec: spec.template.spec }))).resolves.toContain(
        "serverside-applied",
      );
    }
  });
});
