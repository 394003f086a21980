import type { Usage } from "../kit/process-usage.ts";
import type { Target } from "./load/jobs.ts";

/** A proxy to be measured. */
export interface Contender {
  /** Heads its column. */
  readonly name: string;
  /** Starts it anew on its core, in front of the rig's upstream. */
  start(o: StartOptions): Promise<RunningContender>;
}

/** What a proxy is started with. */
export interface StartOptions {
  readonly upstream: string;
  /** Instances there are: users whose turns may be asked for. */
  readonly users: number;
  /** A folder for its files. */
  readonly dir: string;
  /** Where `*.cpuprofile` go, if they are wanted (Node alone). */
  readonly profileDir?: string | undefined;
}

/** A proxy that runs. */
export interface RunningContender {
  readonly name: string;
  readonly target: Target;
  /** What its process, and those it is made of, used so far; undefined where there is no proxy. */
  usage(): Promise<Usage | undefined>;
  stop(): Promise<void>;
}
