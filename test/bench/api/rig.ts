import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Component, startComponent } from "#test/cluster/component.ts";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { here } from "#test/cluster/paths.ts";
import { step } from "#test/cluster/progress.ts";
import { installCrds } from "#test/harness/integration-setup.ts";
import { yieldToAll } from "./cores.ts";
import { type LoadProcess, startLoad } from "./load-process.ts";
import { READ_PATH } from "./scenario.ts";
import { waitUntilServed } from "./served.ts";
import { createTenants } from "./tenants.ts";

/** What all proxies are measured with. */
export interface Rig {
  readonly plane: ControlPlane;
  /** Origin of the upstream. */
  readonly upstream: string;
  readonly load: LoadProcess;
  readonly users: number;
  /** Files that go with the rig. */
  readonly dir: string;
  /** Of all that is neither a proxy nor this process. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

const UPSTREAM_PORT = 18_789;

/** Starts an apiserver with so many Ready instances, the upstream that answers for all of them, and the load. */
export async function startRig(users: number): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), "hatchery-bench-"));
  const plane = await step("start an apiserver", () => startControlPlane());
  let upstream: Component | undefined;
  let load: LoadProcess | undefined;
  const stop = async () => {
    await load?.stop();
    await upstream?.kill();
    await plane.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await installCrds(plane);
    await step(`create ${users} instances`, () => createTenants(plane.kubeconfig, users, UPSTREAM_PORT));
    // From now on it has nothing to say that is measured.
    await yieldToAll(Object.values(plane.pids));
    const file = here("..", "bench", "api", "upstream.ts");
    upstream = startComponent([process.execPath, file, String(UPSTREAM_PORT)], join(dir, "upstream.log"));
    const origin = `http://127.0.0.1:${UPSTREAM_PORT}`;
    await waitUntilServed(`${origin}${READ_PATH}`, {}, upstream.ended);
    load = startLoad();
    const pids = [...Object.values(plane.pids), upstream.pid, load.pid];
    return { plane, upstream: origin, load, users, dir, pids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
