import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startComponent } from "#test/cluster/component.ts";
import { startControlPlane } from "#test/cluster/control-plane.ts";
import { here } from "#test/cluster/paths.ts";
import { step } from "#test/cluster/progress.ts";
import { installCrds } from "#test/harness/integration-setup.ts";
import { startPostgres } from "#test/harness/postgres.ts";
import { yieldToAll } from "./cores.ts";
import { type LoadProcess, startLoad } from "./load-process.ts";
import { READ_PATH } from "./scenario.ts";
import { waitUntilServed } from "./served.ts";
import { createTenants } from "./tenants.ts";

/** What all proxies are measured with. */
export interface Rig {
  readonly kubeconfig: string;
  /** Port on 127.0.0.1 of an empty Postgres. */
  readonly postgresPort: number;
  /** Origin of the upstream. */
  readonly upstream: string;
  readonly load: LoadProcess;
  readonly users: number;
  /** Files that go with the rig. */
  readonly dir: string;
  stop(): Promise<void>;
}

const UPSTREAM_PORT = 18_789;

/** Starts a Postgres, an apiserver with so many Ready instances, the upstream that answers for all of them, and the load. */
export async function startRig(users: number): Promise<Rig> {
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), "hatchery-bench-"));
  stack.defer(() => rm(dir, { recursive: true, force: true }));
  const plane = await step("start an apiserver", () => startControlPlane());
  stack.defer(() => plane.stop());
  const postgres = stack.use(await startPostgres());
  await installCrds(plane);
  await step(`create ${users} instances`, () => createTenants(plane.kubeconfig, users, UPSTREAM_PORT));
  // From now on it has nothing to say that is measured.
  await yieldToAll(Object.values(plane.pids));
  const file = here("..", "bench", "api", "upstream.ts");
  const upstream = startComponent([process.execPath, file, String(UPSTREAM_PORT)], join(dir, "upstream.log"));
  stack.defer(() => upstream.kill());
  const origin = `http://127.0.0.1:${UPSTREAM_PORT}`;
  await waitUntilServed(`${origin}${READ_PATH}`, {}, upstream.ended);
  const load = startLoad();
  stack.defer(() => load.stop());
  const running = stack.move();
  return {
    kubeconfig: plane.kubeconfig,
    postgresPort: postgres.port,
    upstream: origin,
    load,
    users,
    dir,
    stop: () => running.disposeAsync(),
  };
}
