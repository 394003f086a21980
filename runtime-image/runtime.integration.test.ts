import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type ModelSimulator, startModelSimulator } from "#test/harness/model/simulator.ts";
import { type Container, makeVolume, mountImage, type Rootfs, startContainer } from "#test/images/container.ts";
import { ensureRuntimeImage } from "#test/images/images.ts";
import { INSTANCE_KEYS } from "../operator/build/config-keys.ts";
import { buildOpenClawConfig, CREDENTIAL_ENV, renderOpenClawConfig } from "../operator/build/openclaw-config.ts";

/** These only end a test that hangs: the image is built when need be, and a busy machine starts a gateway slowly. */
const LIMITS = { build: 1_800_000, test: 600_000 } as const;
const UID = 1000;
const TOKEN = "gateway-token-of-this-test";
const MODEL_KEY = "model-key-of-this-test";
const CREDENTIALS = { [CREDENTIAL_ENV.gatewayToken]: TOKEN, [CREDENTIAL_ENV.modelKey]: MODEL_KEY };
/** As much of a log's end as Kubernetes keeps as a container's termination message. */
const MESSAGE_BYTES = 2048;

describe("the runtime image, as a pod runs it", { timeout: LIMITS.test }, () => {
  let rootfs: Rootfs;
  let model: ModelSimulator;
  let port: number;
  let volume: string;
  let config: string;
  const running: Container[] = [];

  beforeAll(async () => {
    rootfs = await mountImage(await ensureRuntimeImage());
    model = await startModelSimulator({ apiKey: MODEL_KEY });
    port = await freePort();
    volume = await makeVolume(UID);
    config = await mkdtemp(join(tmpdir(), "hatchery-config-"));
    await chmod(config, 0o755);
  }, LIMITS.build);

  afterEach(async () => {
    const left = running.splice(0);
    for (const container of left) container.kill();
    await Promise.all(left.map((container) => container.exited));
  });

  afterAll(async () => {
    await rootfs?.remove();
    await model?.close();
    for (const folder of [volume, config]) await rm(folder, { recursive: true, force: true });
  });

  /** The configuration of a tenant but for its address, which is this test's own. */
  async function writeConfig(extra: object = {}): Promise<void> {
    const built = buildOpenClawConfig({
      className: "standard",
      models: [{ name: "default" }],
      defaultModel: "default",
      exec: "Allow",
      modelGatewayUrl: model.url.replace(/\/v1$/, ""),
    });
    const gateway = { ...(built.config.gateway as object), bind: "loopback", port };
    await writeFile(join(config, "openclaw.json"), renderOpenClawConfig({ ...built.config, gateway, ...extra }));
  }

  async function start(env: Record<string, string> = CREDENTIALS, argv?: string[]): Promise<Container> {
    const container = await startContainer({
      rootfs,
      uid: UID,
      env,
      ...(argv ? { argv } : {}),
      mounts: { "/data": { source: volume, writable: true }, "/config": { source: config, writable: false } },
    });
    running.push(container);
    return container;
  }

  async function call(path: string, body?: object): Promise<Response> {
    return fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
    });
  }

  /** Resolves when `/readyz` says so; throws with the log when the container ends before that. */
  async function ready(container: Container): Promise<void> {
    let code: number | undefined;
    void container.exited.then((ended) => {
      code = ended;
    });
    while (
      !(await call("/readyz").then(
        (response) => response.ok,
        () => false,
      ))
    ) {
      if (code !== undefined) throw new Error(`ended with ${code}:\n${container.log()}`);
      await delay(100);
    }
  }

  async function chat(input: string): Promise<string> {
    const response = await call("/v1/responses", { model: "openclaw", input, user: "test" });
    const text = await response.text();
    expect(response.status, text).toBe(200);
    const { output } = JSON.parse(text) as { output: { content?: { text?: string }[] }[] };
    return output.flatMap((item) => item.content?.map((part) => part.text ?? "") ?? []).join("");
  }

  it("chats and runs tools with only /data and /tmp writable, and stops when told", async () => {
    await writeConfig();
    const container = await start();
    await ready(container);
    expect(await chat("hello there")).toContain("hello there");
    const probe =
      "for d in / /opt /opt/cc /usr /etc /config /data /tmp; do test -w $d && echo writable $d; done; id -u";
    const reply = await chat(`TOOL:exec:${JSON.stringify({ command: probe })}`);
    expect(reply.match(/writable \S+/g)).toEqual(["writable /data", "writable /tmp"]);
    expect(reply).toContain("1000");
    expect((await stat(join(volume, "state"))).mode & 0o777).toBe(0o700);
    container.terminate();
    expect(await container.exited).toBe(0);
    expect(container.log()).not.toContain(TOKEN);
    expect(container.log()).not.toContain(MODEL_KEY);
  });

  it("goes on with the same session on the same volume", async () => {
    const container = await start();
    await ready(container);
    const history = await call("/sessions/openresponses-user:test/history?limit=50");
    expect(await history.text()).toContain("hello there");
    const sessions = await call("/hatchery/rpc", { method: "sessions.list" });
    expect(await sessions.json()).toMatchObject({ ok: true, payload: { sessions: [{}] } });
    container.terminate();
    expect(await container.exited).toBe(0);
  });

  it("starts from the baked compile cache", async () => {
    const script = "process.exit(require('node:module').getCompileCacheDir()?.startsWith('/opt/cc') ? 0 : 1)";
    const shell = `test -z "$(find /opt/cc -type f ! -readable)" && test -n "$(find /opt/cc -type f)" && node -e "${script}"`;
    const container = await start({}, ["/bin/sh", "-c", shell]);
    expect(await container.exited, container.log()).toBe(0);
  });

  it("knows every key that an instance may set, and those that are refused since they run commands", async () => {
    const container = await start({}, ["/bin/sh", "-c", "openclaw config schema > /data/schema.json"]);
    expect(await container.exited, container.log()).toBe(0);
    const schema: unknown = JSON.parse(await readFile(join(volume, "schema.json"), "utf8"));
    expect(INSTANCE_KEYS.filter((path) => !describes(schema, path)).map((path) => path.join("."))).toEqual([]);
    for (const path of ["mcp.servers.*.command", "env.vars.*", "hooks.internal.load.extraDirs", "no.such.key"]) {
      expect([path, describes(schema, path.split("."))]).toEqual([path, path !== "no.such.key"]);
    }
  });

  it.each<[string, { extra?: object; env?: Record<string, string> }, number, RegExp]>([
    ["an unknown key", { extra: { bogusKey: 1 } }, 78, /bogusKey/],
    ["a wrong type", { extra: { cron: { enabled: "perhaps" } } }, 78, /cron\.enabled/],
    ["no gateway token", { env: { [CREDENTIAL_ENV.modelKey]: MODEL_KEY } }, 1, /required secrets are unavailable/],
  ])("ends with OpenClaw's own words when it is given %s", async (_, { extra, env }, code, words) => {
    await writeConfig(extra);
    const container = await start(env);
    expect(await container.exited, container.log()).toBe(code);
    expect(container.log().slice(-MESSAGE_BYTES)).toMatch(words);
  });

  it("says so when it cannot write its volume", async () => {
    await writeConfig();
    const foreign = await makeVolume(0);
    const container = await startContainer({
      rootfs,
      uid: UID,
      env: CREDENTIALS,
      mounts: { "/data": { source: foreign, writable: true }, "/config": { source: config, writable: false } },
    });
    expect(await container.exited).not.toBe(0);
    expect(container.log()).toMatch(/Permission denied/);
    await rm(foreign, { recursive: true });
  });
});

/** True when a JSON schema has something to say of the value at this path; `*` stands for any key. */
function describes(schema: unknown, [key, ...rest]: readonly string[]): boolean {
  if (typeof schema !== "object" || schema === null) return false;
  if (key === undefined) return true;
  const { properties, additionalProperties, anyOf, oneOf, allOf } = schema as Record<string, unknown>;
  const below = (properties as Record<string, unknown> | undefined)?.[key] ?? additionalProperties;
  const parts = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? list : []));
  return describes(below, rest) || parts.some((part) => describes(part, [key, ...rest]));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
