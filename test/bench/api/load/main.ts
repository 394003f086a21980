import type { Job } from "./jobs.ts";
import { runReads } from "./reads.ts";
import { createStreams } from "./streams.ts";

/* The load, in a process of its own: does one job after the other and tells its parent what came of it. */

const streams = createStreams();

function run(job: Job): Promise<unknown> {
  switch (job.kind) {
    case "reads":
      return runReads(job);
    case "open":
      return streams.open(job);
    case "watch":
      return streams.watch(job);
    case "close":
      return streams.close();
  }
}

process.on("message", (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
