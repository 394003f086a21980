import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Measurements } from "#test/bench/operator/measurements.ts";
import { ROOT } from "#test/images/paths.ts";
import { judgeCycles, judgeRest } from "./findings.ts";

const { values } = parseArgs({
  options: {
    silence: { type: "string", default: "300" },
    outage: { type: "string", default: "300" },
    instances: { type: "string", default: "1000" },
    idle: { type: "string", default: "600" },
    cycles: { type: "string", default: "10000" },
  },
});

/** Runs a command that says itself what it does; answers whether all went well. */
function run(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<boolean> {
  const child = spawn(command, args, { cwd: ROOT, stdio: "inherit", env: { ...process.env, ...env } });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code === 0));
  });
}

/** What the last benchmark measured. */
async function lastMeasurements(): Promise<Measurements[]> {
  const dir = join(ROOT, "dist", "bench");
  const last =
    (await readdir(dir))
      .filter((name) => name.startsWith("operator-"))
      .sort()
      .at(-1) ?? "";
  return (JSON.parse(await readFile(join(dir, last, "results.json"), "utf8")) as { all: Measurements[] }).all;
}

const { silence, outage, instances, idle, cycles } = values;
const waitedOut = await run("npx", ["--no-install", "vitest", "run", "--project", "soak"], {
  SOAK_SILENCE_SECONDS: silence,
});
const outlived = await run("npx", ["--no-install", "vitest", "run", "--project", "outages"], {
  OUTAGE_SECONDS: outage,
});
const bench = ["--instances", instances, "--idle", idle, "--cycles", cycles];
const measured = await run("node", ["test/bench/operator/main.ts", ...bench]);
const outcomes = measured ? (await lastMeasurements()).flatMap((m) => [judgeRest(m), judgeCycles(m)]) : [];
for (const { line, faults } of outcomes) {
  console.log(`soak | ${line}`);
  for (const fault of faults) console.error(`soak | FAULT: ${fault}`);
}
const failed = !waitedOut || !outlived || !measured || outcomes.some(({ faults }) => faults.length > 0);
console.log(`soak | ${failed ? "failed" : "passed"}`);
process.exitCode = failed ? 1 : 0;
