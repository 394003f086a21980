import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI, { APIError } from "openai";
import { pino } from "pino";
import { Registry } from "prom-client";
import { Agent } from "undici";
import { afterEach, beforeAll, beforeEach, expect } from "vitest";
import { type KeyRing, keysReady, modelKey, newSlot, parseKeyRing } from "#lib/keys.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type ModelSimulator, startModelSimulator } from "#test/harness/model/simulator.ts";
import { createByteBudget } from "../limit/byte-budget.ts";
import { createOpenStreams } from "../limit/open-streams.ts";
import { createModelGatewayApp } from "./app.ts";
import type { ModelCatalog, ModelTarget } from "./catalog.ts";
import type { Provider } from "./config.ts";
import { UsageMetrics } from "./usage-metrics.ts";

/** What no log line and no answer may hold. */
export const PROVIDER_KEY = "sk-provider-key-that-nobody-may-see";
export const MODELS: Record<string, ModelTarget> = {
  "standard/default": { provider: "main", providerModel: "gpt-simulated" },
  "standard/elsewhere": { provider: "gone", providerModel: "x" },
  "standard/unconfigured": { provider: "nobody", providerModel: "x" },
};

/** Those of the test that runs. */
export let ring: KeyRing;
export let slot: string;
export let simulator: ModelSimulator;
export let gateway: Gateway;

interface Gateway {
  url: string;
  server: Server;
  registry: Registry;
  metrics: UsageMetrics;
  clock: ManualClock;
  log: string[];
  catalog: ModelCatalog & { hasSynced: boolean };
  close(): Promise<void>;
}

async function startGateway(providers: Provider[], models = MODELS): Promise<Gateway> {
  const registry = new Registry();
  const clock = new ManualClock();
  const metrics = new UsageMetrics(registry, clock);
  const lines: string[] = [];
  const catalog = { hasSynced: true, find: (name: string) => models[name], names: () => Object.keys(models).sort() };
  const dispatcher = new Agent({ allowH2: false });
  const app = createModelGatewayApp({
    keyRing: ring,
    catalog,
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    dispatcher,
    calls: createOpenStreams(32),
    bodies: createByteBudget({ total: 2 ** 26, perOwner: 2 ** 25 }),
    metrics,
    clock,
    log: pino({ level: "trace" }, { write: (line: string) => lines.push(line) }),
    newId: () => "call-1",
  });
  const { server, url } = await serve(app);
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await dispatcher.destroy();
  };
  return { url, server, registry, metrics, clock, log: lines, catalog, close };
}

export async function serve(handler: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(handler);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

export const provider = (more: Partial<Provider> = {}): Provider => ({
  name: "main",
  baseUrl: simulator.url,
  apiKey: PROVIDER_KEY,
  timeoutMs: 300_000,
  ...more,
});
export const client = (apiKey = modelKey(ring[0], slot)) => new OpenAI({ baseURL: gateway.url, apiKey, maxRetries: 0 });
export const ask = (content: string, model = "standard/default") => ({
  model,
  messages: [{ role: "user" as const, content }],
});
export const streamed = (content: string) => ({ ...ask(content), stream: true as const });
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
export async function refused(call: Promise<unknown>): Promise<APIError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof APIError)) throw new Error("was not refused", { cause: error });
  return error;
}
/** The series of one metric as `{labels} value`, once as many calls as wanted were counted. */
export async function series(name: string): Promise<Record<string, number>> {
  const metric = await gateway.registry.getSingleMetric(name)?.get();
  return Object.fromEntries(
    (metric?.values ?? []).map(({ labels, value }) => [Object.values(labels).join(" "), value]),
  );
}
/** Resolves when the gateway has written its line about a call. */
export async function callLogged(count = 1): Promise<Record<string, unknown>[]> {
  const lines = () => gateway.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "model call");
  while (lines().length < count) await new Promise((resolve) => setImmediate(resolve));
  return lines();
}

/** The same again with other providers. */
export async function restartGateway(providers: Provider[]): Promise<void> {
  await gateway.close();
  gateway = await startGateway(providers);
}

/** A gateway and a provider for each test of a file; and none of them may tell a secret. */
export function useGateway(): void {
  beforeAll(keysReady);
  beforeEach(async () => {
    ring = parseKeyRing(`${"b2".repeat(32)},${"a1".repeat(32)}`);
    slot = newSlot();
    simulator = await startModelSimulator({ apiKey: PROVIDER_KEY });
    gateway = await startGateway([provider(), provider({ name: "gone", baseUrl: "http://127.0.0.1:1/v1" })]);
  });
  afterEach(async () => {
    await gateway.close();
    await simulator.close();
    expect(gateway.log.join("")).not.toContain(PROVIDER_KEY);
    expect(gateway.log.join("")).not.toContain("hmk_");
  });
}
