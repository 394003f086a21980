import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { aborted } from "#lib/aborted.ts";
import { startComponent } from "#test/cluster/component.ts";
import { run } from "#test/cluster/shell.ts";
import { OWNER } from "#test/harness/postgres.ts";
import { withBundles } from "#test/images/bundles.ts";
import { readUsage } from "../kit/process-usage.ts";
import { environmentOfImage } from "../kit/shipped.ts";
import type { Contender } from "./contender.ts";
import { onProxyCore } from "./cores.ts";
import { userName } from "./load/connection.ts";
import { READ_PATH } from "./scenario.ts";
import { waitUntilServed } from "./served.ts";
import { ROOT_KEY, TENANT_NAMESPACE } from "./tenants.ts";

const PORT = 8080;
const OPS_PORT = 9090;
const INTERNAL_KEY = "internal-key-of-the-bench-0123456789abcdef";
/** The role that the API works as, and its password. */
const API_ROLE = "hatchery_api";

/** Where the API finds what it needs. */
export interface Surroundings {
  readonly kubeconfig: string;
  /** Port on 127.0.0.1 of a Postgres without any of our tables. */
  readonly postgresPort: number;
}

/** Our own API as it is shipped: the bundle, with the environment of image and chart. */
export function hatchery(surroundings: Surroundings): Contender {
  let prepared: Promise<string> | undefined;
  return {
    name: "hatchery",
    async start({ users, dir, profileDir }) {
      prepared ??= prepare(surroundings);
      const bundle = await prepared;
      const flags = profileDir ? ["--cpu-prof", "--cpu-prof-dir", profileDir] : [];
      const pairs = Object.entries(await environment(surroundings)).map(([name, value]) => `${name}=${value}`);
      const component = startComponent(
        onProxyCore(["env", ...pairs, process.execPath, ...flags, bundle]),
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

/** What the chart tells the API, and what the image does; but no tenant is too busy. */
async function environment({ kubeconfig, postgresPort }: Surroundings): Promise<Record<string, string>> {
  return {
    ...(await environmentOfImage()),
    OPENCLAW_ENCRYPTION_KEY: ROOT_KEY,
    OA_INTERNAL_KEY: INTERNAL_KEY,
    TENANT_NAMESPACE,
    DATABASE_URL: databaseUrl(postgresPort, API_ROLE),
    DATABASE_PASSWORD: API_ROLE,
    ACCESS_MODE: "open",
    RATE_PER_MINUTE: "100000000",
    RATE_BURST: "100000000",
    KUBECONFIG: kubeconfig,
    PORT: String(PORT),
    OPS_PORT: String(OPS_PORT),
    DRAIN_SECONDS: "0",
  };
}

function databaseUrl(port: number, user: string): string {
  return `postgresql://${user}@127.0.0.1:${port}/postgres`;
}

/** Bundles the API, at a place where nobody builds another one meanwhile, and has its tables made. */
function prepare({ postgresPort }: Surroundings): Promise<string> {
  return withBundles(["api", "migrate"], async (folder) => {
    const dir = await mkdtemp(join(tmpdir(), "hatchery-bench-bundle-"));
    await cp(folder, dir, { recursive: true });
    const env = { DATABASE_URL: databaseUrl(postgresPort, OWNER), DATABASE_PASSWORD: OWNER };
    const role = { DATABASE_API_ROLE: API_ROLE, DATABASE_API_PASSWORD: API_ROLE };
    await run([process.execPath, join(dir, "migrate.mjs")], { env: { ...env, ...role } });
    return join(dir, "api.mjs");
  });
}
