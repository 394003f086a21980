import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startComponent } from "#test/cluster/component.ts";
import { withLock } from "#test/cluster/lock.ts";
import { cacheRoot } from "#test/cluster/paths.ts";
import { step } from "#test/cluster/progress.ts";
import { run } from "#test/cluster/shell.ts";
import { readUsage } from "../kit/process-usage.ts";
import type { Contender } from "./contender.ts";
import { onProxyCore } from "./cores.ts";
import { READ_PATH, TURN_PATH } from "./scenario.ts";
import { waitUntilServed } from "./served.ts";

const VERSION = "5.3.0";
const PORT = 8083;
const API_PORT = 8084;
const FOLDER = join(cacheRoot(), "bench", `configurable-http-proxy-${VERSION}`);
const PROGRAM = join(FOLDER, "node_modules", "configurable-http-proxy", "bin", "configurable-http-proxy");

/** JupyterHub's proxy as it comes, with one route; it asks nobody who they are. */
export const configurableHttpProxy: Contender = {
  name: "configurable-http-proxy",
  async start({ upstream, users, dir, profileDir }) {
    const flags = profileDir ? ["--cpu-prof", "--cpu-prof-dir", profileDir] : [];
    const listen = [
      "--ip",
      "127.0.0.1",
      "--port",
      String(PORT),
      "--api-ip",
      "127.0.0.1",
      "--api-port",
      String(API_PORT),
    ];
    const component = startComponent(
      onProxyCore([process.execPath, ...flags, PROGRAM, ...listen, "--default-target", upstream]),
      join(dir, "configurable-http-proxy.log"),
    );
    const origin = `http://127.0.0.1:${PORT}`;
    await waitUntilServed(`${origin}${READ_PATH}`, {}, component.ended);
    return {
      name: "configurable-http-proxy",
      target: { origin, readPath: READ_PATH, turnPath: TURN_PATH, headers: {}, users },
      usage: () => readUsage(component.pid),
      stop: () => component.kill(),
    };
  },
};

/** Fetches it, unless it is there; nothing of the project depends on it. */
export async function ensureConfigurableHttpProxy(): Promise<void> {
  if (existsSync(PROGRAM)) return;
  await withLock(join(cacheRoot(), "locks", "bench-configurable-http-proxy"), async () => {
    if (existsSync(PROGRAM)) return;
    await mkdir(FOLDER, { recursive: true });
    const fetch = ["npm", "install", "--prefix", FOLDER, "--no-audit", "--no-fund", "--loglevel=error"];
    await step(`fetch configurable-http-proxy ${VERSION}`, () => run([...fetch, `configurable-http-proxy@${VERSION}`]));
  });
}
