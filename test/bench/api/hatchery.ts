import { copyFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aborted } from "#lib/aborted.ts";
import { startComponent } from "#test/cluster/component.ts";
import { withBundles } from "#test/images/bundles.ts";
import { readUsage } from "../kit/process-usage.ts";
import { environmentOfImage } from "../kit/shipped.ts";
import type { Contender } from "./contender.ts";
import { onProxyCore } from "./cores.ts";
import { userName } from "./load/connection.ts";
import { waitUntilServed } from "./served.ts";
import { ROOT_KEY, TENANT_NAMESPACE } from "./tenants.ts";

const PORT = 8080;
const OPS_PORT = 9090;
const INTERNAL_KEY = "internal-key-of-the-bench-0123456789abcdef";
const READ_PATH = "/v1/models";

/** Our own API as it is shipped: the bundle, with the environment of image and chart. */
export function hatchery(kubeconfig: string): Contender {
  let bundled: Promise<string> | undefined;
  return {
    name: "hatchery",
    async start({ users, dir, profileDir }) {
      bundled ??= bundleApi();
      const flags = profileDir ? ["--cpu-prof", "--cpu-prof-dir", profileDir] : [];
      const pairs = Object.entries(await environment(kubeconfig)).map(([name, value]) => `${name}=${value}`);
      const component = startComponent(
        onProxyCore(["env", ...pairs, process.execPath, ...flags, await bundled]),
        join(dir, "hatchery.log"),
      );
      const origin = `http://127.0.0.1:${PORT}`;
      const headers = { "x-oa-internal-key": INTERNAL_KEY };
      const lastUser = { ...headers, "x-oa-user-id": userName(users - 1) };
      await waitUntilServed(`${origin}${READ_PATH}`, lastUser, component.ended);
      return {
        name: "hatchery",
        target: { origin, readPath: READ_PATH, turnPath: "/api/openclaw/chat", headers, users },
        usage: () => readUsage(component.pid),
        async stop() {
          if (!profileDir) return component.kill();
          // A profile is written at a good end only.
          process.kill(component.pid, "SIGTERM");
          await aborted(component.ended);
        },
      };
    },
  };
}

/** What the chart tells the API, and what the image does. */
async function environment(kubeconfig: string): Promise<Record<string, string>> {
  return {
    ...(await environmentOfImage()),
    OPENCLAW_ENCRYPTION_KEY: ROOT_KEY,
    OA_INTERNAL_KEY: INTERNAL_KEY,
    TENANT_NAMESPACE,
    KUBECONFIG: kubeconfig,
    PORT: String(PORT),
    OPS_PORT: String(OPS_PORT),
    DRAIN_SECONDS: "0",
  };
}

/** The bundle at a place where nobody builds another one meanwhile. */
function bundleApi(): Promise<string> {
  return withBundles(["api"], async (folder) => {
    const dir = await mkdtemp(join(tmpdir(), "hatchery-bench-bundle-"));
    for (const file of ["api.mjs", "api.mjs.map"]) await copyFile(join(folder, file), join(dir, file));
    return join(dir, "api.mjs");
  });
}
