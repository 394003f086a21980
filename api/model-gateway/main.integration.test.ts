import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { afterEach, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { CLASSES, type OpenClawClass } from "#crds/index.ts";
import { GROUP, VERSION } from "#crds/names.ts";
import { keysReady, modelKey, newSlot, parseKeyRing } from "#lib/keys.ts";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createLogger } from "#lib/log.ts";
import { type ModelSimulator, startModelSimulator } from "#test/harness/model/simulator.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const ROOT_KEY = "a1".repeat(32);
const PROVIDER_KEY = "sk-main";

/** The model gateway as a process of its own on free ports. */
interface GatewayProcess {
  url: string;
  opsUrl: string;
  stop(): void;
  exited: Promise<{ code: number | null; err: string; lines: string[] }>;
}

let client: KubeClient;
let simulator: ModelSimulator;
const cleanups: (() => Promise<unknown>)[] = [];

function startProcess(env: Record<string, string>): GatewayProcess["exited"] & { listening: Promise<GatewayProcess> } {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const ports = new Map<string, number>();
  const listening = Promise.withResolvers<GatewayProcess>();
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const exited = once(child, "close").then(([code]: unknown[]) => {
    listening.reject(new Error(`ended before it listened: ${err}${lines.join("\n")}`));
    return { code: code as number | null, err, lines };
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    const { msg, port } = JSON.parse(line) as { msg: string; port?: number };
    if (port !== undefined) ports.set(msg, port);
    const [main, ops] = [ports.get("listening"), ports.get("ops server listens")];
    if (main === undefined || ops === undefined) return;
    const url = `http://127.0.0.1:${main}/v1`;
    listening.resolve({ url, opsUrl: `http://127.0.0.1:${ops}`, stop: () => child.kill("SIGTERM"), exited });
  });
  listening.promise.catch(() => undefined);
  cleanups.push(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return Object.assign(exited, { listening: listening.promise });
}

function environment(): Record<string, string> {
  return {
    OPENCLAW_ENCRYPTION_KEY: ROOT_KEY,
    MODEL_PROVIDERS: JSON.stringify({ main: { baseUrl: simulator.url, apiKeyEnv: "MAIN_KEY" } }),
    MAIN_KEY: PROVIDER_KEY,
    PORT: "0",
    OPS_PORT: "0",
    KUBECONFIG: inject("kubeconfig"),
  };
}

async function applyClass(name: string, models: string[]): Promise<void> {
  const amounts = { cpu: "1", memory: "1Gi" };
  const spec = {
    image: "example.org/openclaw:1",
    resources: { requests: amounts, limits: amounts },
    storage: { size: "1Gi" },
    models: models.map((model) => ({ name: model, provider: "main", providerModel: `real-${model}` })),
  };
  // The apiserver fills in the rest.
  const body = { apiVersion: `${GROUP}/${VERSION}`, kind: CLASSES.kind, metadata: { name }, spec } as unknown;
  await client.apply(CLASSES, body as OpenClawClass, { fieldManager: "test", force: true });
}

beforeAll(async () => {
  await keysReady();
  const log = createLogger("test", "silent");
  client = createKubeClient({ config: loadKubeAccess(inject("kubeconfig")), userAgent: "test", log });
  simulator = await startModelSimulator({ apiKey: PROVIDER_KEY });
  return async () => {
    await client.close();
    await simulator.close();
  };
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

const openai = (url: string) => {
  const [key] = parseKeyRing(ROOT_KEY);
  return new OpenAI({ baseURL: url, apiKey: modelKey(key, newSlot()), maxRetries: 0 });
};
const ask = (model: string, content: string) => ({ model, messages: [{ role: "user" as const, content }] });

describe("the model gateway as a process on a real apiserver", () => {
  it("serves the models of the classes as they come, change and go", async () => {
    await applyClass("gateway-a", ["small"]);
    const { url, opsUrl } = await startProcess(environment()).listening;
    const models = async () => (await openai(url).models.list()).data.map(({ id }) => id);
    const becomes = (expected: string[]) =>
      vi.waitFor(async () => expect((await models()).filter((id) => id.startsWith("gateway-"))).toEqual(expected), {
        timeout: 30_000,
      });
    await becomes(["gateway-a/small"]);
    expect((await fetch(`${opsUrl}/readyz`)).status).toBe(200);
    await applyClass("gateway-a", ["large", "small"]);
    await applyClass("gateway-b", ["small"]);
    await becomes(["gateway-a/large", "gateway-a/small", "gateway-b/small"]);
    const answer = await openai(url).chat.completions.create(ask("gateway-a/large", "hi"));
    expect(answer.choices[0]?.message.content).toBe("echo[1]: hi");
    expect(simulator.stats().last).toMatchObject({ model: "real-large", credential: "expected" });
    expect(await (await fetch(`${opsUrl}/metrics`)).text()).toMatch(
      /hatchery_model_tokens_total\{.*model="gateway-a\/large",kind="completion".*\} 2/,
    );
    await client.delete(CLASSES, { name: "gateway-a" });
    await becomes(["gateway-b/small"]);
    await client.delete(CLASSES, { name: "gateway-b" });
    await becomes([]);
  });

  it("lets a running answer end when it is told to stop, and takes no new one after", async () => {
    await applyClass("gateway-stop", ["small"]);
    const gateway = await startProcess(environment()).listening;
    const request = { ...ask("gateway-stop/small", "SLOW:28:250"), stream: true as const };
    const stream = await vi.waitFor(() => openai(gateway.url).chat.completions.create(request), { timeout: 30_000 });
    gateway.stop();
    const words: string[] = [];
    for await (const chunk of stream) {
      if (words.length === 0)
        await vi.waitFor(async () => expect((await fetch(`${gateway.opsUrl}/readyz`)).status).toBe(503));
      words.push(chunk.choices[0]?.delta.content ?? "");
    }
    expect(words.join("")).toMatch(/^w0 .* w27 $/);
    const { code, err } = await gateway.exited;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    await expect(fetch(gateway.url)).rejects.toThrow("fetch failed");
    await client.delete(CLASSES, { name: "gateway-stop" });
  });

  it("exits at once and names what is missing in its environment", async () => {
    const { code, err } = await startProcess({ PORT: "none" });
    expect(code).toBe(1);
    for (const name of ["OPENCLAW_ENCRYPTION_KEY", "MODEL_PROVIDERS", "PORT"]) expect(err).toContain(name);
    const noKubeconfig = await startProcess({ ...environment(), KUBECONFIG: "/nowhere/kubeconfig" });
    expect(noKubeconfig.code).toBe(1);
    expect(noKubeconfig.err).toContain("KUBECONFIG");
  });
});
