import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { type Cluster, startCluster, stopCluster } from "#test/cluster/cluster.ts";
import { stateRoot } from "#test/cluster/paths.ts";
import { startRegistry } from "#test/cluster/registry.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { ensureLightGatewayImage } from "#test/harness/light-gateway/image.ts";
import { OWN_IMAGES } from "./local-target.ts";
import { loadSession } from "./session.ts";
import { showEnvironment } from "./show.ts";
import { down, up } from "./up.ts";

/** With a stand-in for OpenClaw: the way of an image to somebody's cluster does not depend on its size. */
const IMAGES = { ...OWN_IMAGES, openclaw: ensureLightGatewayImage };

/** Sessions of its own, beside those of whoever uses this machine. */
const state = join(stateRoot(), `up-test-${process.pid}`);
let cluster: Cluster;
let env: Record<string, string>;
let printed: string;

beforeAll(async () => {
  vi.stubEnv("HATCHERY_STATE", state);
  cluster = await startCluster({ name: "theirs" });
  const { host } = await startRegistry(cluster);
  env = { CLUSTER: "current", KUBECONFIG: cluster.kubeconfig, IMAGE_REGISTRY: host };
});
beforeEach(() => {
  printed = "";
  const print = (...words: unknown[]) => {
    printed += words.join(" ");
    return true;
  };
  vi.spyOn(console, "log").mockImplementation(print);
  vi.spyOn(process.stdout, "write").mockImplementation(print as typeof process.stdout.write);
});
afterAll(async () => {
  await down(env).catch(() => undefined); // a forwarder that a failed test may have left running here
  vi.restoreAllMocks();
  await stopCluster("theirs", { purge: true });
  vi.unstubAllEnvs();
  await rm(state, { recursive: true, force: true });
});

const names = async (...args: string[]) =>
  (await cluster.kubectl("get", ...args, "--output=name")).split("\n").filter(Boolean);
const isAlive = (pid: number | undefined) => pid !== undefined && existsSync(`/proc/${pid}`);

/** In order: each step goes on from the state the one before it left. */
it("brings everything to somebody's own cluster and ends in a chat", async () => {
  await up(env, IMAGES);
  expect(printed).toMatch(/alice -> openclaw-\S+: .*\(simulated model\): I am a stand-in\./);
  expect(printed).toContain("Hatchery is up.");
  printed = "";
  await showEnvironment({});
  const url = /HATCHERY_URL='(.*?)'/.exec(printed)?.[1] ?? "";
  expect((await fetch(`${url}/api/openclaw/instance`)).status).toBe(401);
});

it("does it again, with another provider, over what is there", async () => {
  const before = await loadSession();
  const provider = { MODEL_BASE_URL: "https://models.example.org/v1", MODEL_API_KEY: "sk-theirs", MODEL_NAME: "large" };
  await up({ ...env, ...provider }, IMAGES);
  expect(printed).toContain("(large): I am a stand-in.");
  const after = await loadSession();
  expect(after?.api?.internalKey).toBe(before?.api?.internalKey);
  await waitFor("the end of the first forwarder", () => !isAlive(before?.forwarderPid));
  expect(isAlive(after?.forwarderPid)).toBe(true);
});

it("takes down what it brought, and leaves what is the users'", async () => {
  const session = await loadSession();
  await down({});
  await waitFor("the end of the forwarder", () => !isAlive(session?.forwarderPid));
  expect(await names("deployments", "--all-namespaces")).toEqual(["deployment.apps/coredns"]);
  expect(await names("namespaces")).not.toContain("namespace/hatchery-model-provider");
  expect(await names("claws", "--namespace=hatchery-tenants")).toHaveLength(1);
  expect(await names("persistentvolumeclaims", "--namespace=hatchery-tenants")).toHaveLength(1);
  await expect(showEnvironment({})).rejects.toThrow("nothing is up");
});
