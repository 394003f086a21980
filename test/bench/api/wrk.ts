import { here } from "#test/cluster/paths.ts";
import { run } from "#test/cluster/shell.ts";
import type { Target } from "./load/jobs.ts";

/** What wrk did. */
export interface WrkResult {
  readonly requests: number;
  readonly micros: number;
  readonly errors: number;
}

/** Connections, each of which asks again as soon as it is answered. */
const CONNECTIONS = 50;

/** Has wrk ask as often as it is answered. @throws Error when it cannot, or any answer was none. */
export async function runWrk({ origin, readPath, headers, users }: Target, seconds: number): Promise<WrkResult> {
  const how = ["--threads", "1", "--connections", String(CONNECTIONS), "--duration", `${seconds}s`];
  const script = here("..", "bench", "api", "wrk.lua");
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const out = await run(["wrk", ...how, "--script", script, origin, "--", readPath, String(users), ...fields]);
  const result = readResult(out);
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} requests to ${origin} failed`);
  return result;
}

/** The line that our script adds to wrk's own. @throws Error where there is none. */
export function readResult(out: string): WrkResult {
  const [, json] = /^RESULT (.*)$/m.exec(out) ?? [];
  if (json === undefined) throw new Error(`wrk says no result:\n${out}`);
  return JSON.parse(json) as WrkResult;
}
