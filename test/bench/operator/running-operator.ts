import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { request } from "undici";
import { aborted } from "#lib/aborted.ts";
import { startComponent } from "#test/cluster/component.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { readUsage, type Usage } from "../kit/process-usage.ts";
import { parseMetrics, type Sample, sumOf } from "../kit/prometheus.ts";
import type { Rig } from "./rig.ts";

/** A contender's process. */
export interface RunningOperator {
  /** `performance.now()` when it was started. */
  readonly startedAt: number;
  usage(): Promise<Usage>;
  metrics(): Promise<Sample[]>;
  /** Resolves with `performance.now()` of when it said that its caches are synced. */
  ready(): Promise<number>;
  /** Resolves once nothing is queued or worked on for 6 s; with `performance.now()` of when those began. */
  quiet(): Promise<number>;
  /** Ends it in good order. */
  stop(): Promise<void>;
}

const PORT = 9090;
const POLL_MS = 100;
/** A class tells of its instances 5 s after they changed. */
const QUIET_MS = 6_000;
/** Longer than anything takes that is not hung. */
const PATIENCE_MS = 1_800_000;

/** Starts the rig's contender. */
export async function startOperator(rig: Rig, profileDir?: string): Promise<RunningOperator> {
  const { argv, env } = await rig.contender.command({ kubeconfig: rig.plane.kubeconfig, port: PORT, profileDir });
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const startedAt = performance.now();
  const component = startComponent(["env", ...pairs, ...argv], join(rig.dir, "operator.log"));
  const wait = { timeoutMs: PATIENCE_MS, everyMs: POLL_MS, signal: component.ended };
  const get = async (path: string) => {
    const { statusCode, body } = await request(`http://127.0.0.1:${PORT}${path}`);
    return { statusCode, text: await body.text() };
  };
  const metrics = async () => parseMetrics((await get("/metrics")).text);
  let quietSince: number | undefined;
  return {
    startedAt,
    usage: () => readUsage(component.pid),
    metrics,
    ready: () => waitFor("ready", async () => (await get("/readyz")).statusCode === 200 && performance.now(), wait),
    async quiet() {
      quietSince = undefined;
      return waitFor(
        "nothing to do",
        async () => {
          const samples = await metrics();
          const busy = sumOf(samples, "workqueue_depth") + sumOf(samples, "controller_runtime_active_workers");
          const now = performance.now();
          quietSince = busy > 0 ? undefined : (quietSince ?? now);
          return quietSince !== undefined && now - quietSince >= QUIET_MS && quietSince;
        },
        wait,
      );
    },
    async stop() {
      process.kill(component.pid, "SIGTERM");
      await aborted(component.ended);
    },
  };
}
