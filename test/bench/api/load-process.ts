import { fork } from "node:child_process";
import { once } from "node:events";
import { here } from "#test/cluster/paths.ts";
import type { Job, Results } from "./load/jobs.ts";

/** The process that asks. */
export interface LoadProcess {
  readonly pid: number;
  /** Has it do this job; one at a time. @throws Error with what it says when it cannot. */
  run<J extends Job>(job: J): Promise<Results[J["kind"]]>;
  stop(): Promise<void>;
}

type Answer = { result: unknown } | { error: string };

/** Starts it; it ends with this process. */
export function startLoad(): LoadProcess {
  const child = fork(here("..", "bench", "api", "load", "main.ts"), { serialization: "advanced" });
  const ended = once(child, "exit").then(([code]): Answer => ({ error: `ended (${code})` }));
  return {
    pid: child.pid ?? 0,
    async run<J extends Job>(job: J) {
      const answered = once(child, "message").then(([answer]) => answer as Answer);
      child.send(job);
      const answer = await Promise.race([answered, ended]);
      if ("error" in answer) throw new Error(`the load of "${job.kind}" failed: ${answer.error}`);
      return answer.result as Results[J["kind"]];
    },
    async stop() {
      child.disconnect();
      await ended;
    },
  };
}
