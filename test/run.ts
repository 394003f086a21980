import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** One part of `make test`: a command that counts as one check, or a vitest project whose tests are counted. */
interface Part {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Where vitest leaves its JSON report; absent = the command itself is the one check. */
  readonly report?: string;
}

const SUMMARY = "dist/test-summary.txt";

function vitestProject(project: string): Part {
  const report = `dist/test-${project}.json`;
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  return {
    name: project,
    report,
    command: ["npx", "--no-install", "vitest", "run", "--project", project, ...reporters],
  };
}

/**
 * Stages one after the other, the cheapest first, so that a typing mistake is told before a cluster is built. The lanes of a
 * stage run side by side, the parts of a lane in order: while the cluster's tests wait (for pods, for five minutes at rest),
 * the others use the cores.
 */
const STAGES: readonly (readonly (readonly Part[])[])[] = [
  [
    [{ name: "format and lint", command: ["npx", "--no-install", "biome", "check", "."] }],
    [{ name: "type-aware lint", command: ["npx", "--no-install", "oxlint", "--type-aware"] }],
    [{ name: "types", command: ["npx", "--no-install", "tsc", "--noEmit"] }],
    [
      { name: "generated files", command: ["node", "crds/generate/main.ts", "--check"] },
      { name: "generated files, API", command: ["node", "api/openapi/generate.ts", "--check"] },
    ],
  ],
  [
    [
      vitestProject("unit"),
      vitestProject("charts"),
      { name: "Go parts of the cluster", command: ["node", "test/cluster/go-test.ts"] },
      vitestProject("integration"),
      vitestProject("faults"),
      vitestProject("outages"),
    ],
    [vitestProject("cluster"), vitestProject("rest")],
    [vitestProject("e2e")],
  ],
];

interface Tally {
  passed: number;
  failed: number;
}

/** Runs a part to its end; answers what it counted. A part that cannot start counts as failed. */
async function runPart(part: Part): Promise<Tally> {
  if (part.report) await rm(part.report, { force: true });
  const [file, ...args] = part.command;
  console.log(`=== ${part.name}: ${part.command.join(" ")}`);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<number>((resolve) => {
    child.on("error", (error) => {
      console.error(`${file}: ${error.message}`);
      resolve(127);
    });
    child.on("close", (exitCode) => resolve(exitCode ?? 1));
  });
  await Promise.all([child.stdout, child.stderr].map((stream) => relayLines(stream, part.name)));
  const code = await ended;
  if (part.report) return readReport(part.report, code);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
}

/** Each line says which part it is of: several speak at once. */
async function relayLines(stream: Readable, name: string): Promise<void> {
  for await (const line of createInterface({ input: stream })) console.log(line === "" ? "" : `${name} | ${line}`);
}

/** A run whose report is missing, empty or greener than its exit code counts as one failure more: silence is no success. */
async function readReport(path: string, code: number): Promise<Tally> {
  const text = await readFile(path, "utf8").catch(() => "{}");
  const report = JSON.parse(text) as { numPassedTests?: number; numTotalTests?: number };
  const passed = report.numPassedTests ?? 0;
  const failed = (report.numTotalTests ?? 0) - passed;
  const unexplained = failed === 0 && (code !== 0 || passed === 0) ? 1 : 0;
  return { passed, failed: failed + unexplained };
}

const minutes = (ms: number) => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

await mkdir("dist", { recursive: true });
const started = Date.now();
const rows: string[] = [];
const total: Tally = { passed: 0, failed: 0 };

async function runLane(parts: readonly Part[]): Promise<void> {
  for (const part of parts) {
    const begun = Date.now();
    const { passed, failed } = await runPart(part);
    total.passed += passed;
    total.failed += failed;
    const row = `${part.name.padEnd(26)}${String(passed).padStart(5)} passed${String(failed).padStart(5)} failed   ${minutes(Date.now() - begun)}`;
    console.log(`=== ${row}`);
    rows.push(row);
  }
}

for (const lanes of STAGES) await Promise.all(lanes.map(runLane));
console.log(`\n${rows.join("\n")}\nall parts took ${minutes(Date.now() - started)}\n`);
const line = `${total.passed} passed, ${total.failed} failed`;
await writeFile(SUMMARY, `${line}\n`);
console.log(line);
process.exitCode = total.failed === 0 ? 0 : 1;
