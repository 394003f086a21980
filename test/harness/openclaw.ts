import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildOpenClawConfig, CREDENTIAL_ENV, renderOpenClawConfig } from "#operator/build/openclaw-config.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { makeVolume, mountImage, startContainer } from "#test/images/container.ts";
import { ensureRuntimeImage } from "#test/images/images.ts";
import type { PodNetwork } from "./pod-network.ts";

const UID = 1000;

/** A real OpenClaw on 127.0.0.1 or in a network of its own, from the image and with the configuration of a tenant's pod. */
export interface OpenClaw extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  /** What it printed so far. */
  log(): string;
}

/** How one is started. */
interface OpenClawOptions {
  modelUrl: string;
  /** What a class adds to its configuration. */
  classConfig?: Record<string, unknown>;
  /** Where it runs; OpenClaw trusts callers of its own machine more than a pod's callers, who never are that. */
  network?: PodNetwork;
}

/** Starts one and waits until it is ready; the image is built when need be. */
export async function startOpenClaw(o: OpenClawOptions): Promise<OpenClaw> {
  const image = await ensureRuntimeImage();
  await using stack = new AsyncDisposableStack();
  const rootfs = await mountImage(image);
  stack.defer(() => rootfs.remove());
  const [volume, config] = [await makeVolume(UID), await mkdtemp(join(tmpdir(), "hatchery-config-"))];
  stack.defer(async () => {
    for (const folder of [volume, config]) await rm(folder, { recursive: true, force: true });
  });
  await chmod(config, 0o755);
  const port = await freePort();
  const token = "gateway-token-of-this-test";
  await writeFile(join(config, "openclaw.json"), configFor(port, o));
  const container = await startContainer({
    rootfs,
    uid: UID,
    env: { [CREDENTIAL_ENV.gatewayToken]: token, [CREDENTIAL_ENV.modelKey]: "model-key-of-this-test" },
    mounts: { "/data": { source: volume, writable: true }, "/config": { source: config, writable: false } },
    network: o.network?.path,
  });
  stack.defer(async () => {
    container.kill();
    await container.exited;
  });
  const ended = new AbortController();
  void container.exited.then((code) => ended.abort(new Error(`OpenClaw ended with ${code}:\n${container.log()}`)));
  const url = `http://${o.network?.address ?? "127.0.0.1"}:${port}`;
  await waitFor("OpenClaw is ready", async () => (await fetch(`${url}/readyz`)).ok, {
    timeoutMs: 300_000,
    everyMs: 100,
    signal: ended.signal,
  });
  const running = stack.move();
  return { url, token, log: () => container.log(), [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** A tenant's but for its address, when that is this machine's own. */
function configFor(port: number, { modelUrl, classConfig, network }: OpenClawOptions): string {
  const { config, forbidden } = buildOpenClawConfig({
    className: "standard",
    models: [{ name: "default" }],
    defaultModel: "default",
    exec: "Allow",
    modelGatewayUrl: modelUrl.replace(/\/v1$/, ""),
    classConfig,
  });
  if (forbidden.length > 0) throw new Error(`a class may not set ${forbidden.join(", ")}`);
  const address = network ? { port } : { bind: "loopback", port };
  return renderOpenClawConfig({ ...config, gateway: { ...(config.gateway as object), ...address } });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
