import { spawn } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";

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

/** Cheapest first, so that a typing mistake is told before a cluster is built. */
const PARTS: readonly Part[] = [
  { name: "format and lint", command: ["npx", "--no-install", "biome", "check", "."] },
  { name: "type-aware lint", command: ["npx", "--no-install", "oxlint", "--type-aware"] },
  { name: "types", command: ["npx", "--no-install", "tsc", "--noEmit"] },
  { name: "generated files", command: ["node", "crds/generate/main.ts", "--check"] },
  { name: "Go parts of the test cluster", command: ["node", "test/cluster/go-test.ts"] },
  vitestProject("unit"),
  vitestProject("integration"),
  vitestProject("e2e"),
];

interface Tally {
  passed: number;
  failed: number;
}

/** Runs a part to its end with its output on ours; answers what it counted. A part that cannot start counts as failed. */
async function runPart(part: Part): Promise<Tally> {
  if (part.report) await rm(part.report, { force: true });
  const [file, ...args] = part.command;
  const code = await new Promise<number>((resolve) => {
    const child = spawn(file, args, { stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", (error) => {
      console.error(`${file}: ${error.message}`);
      resolve(127);
    });
    child.on("close", (exitCode) => resolve(exitCode ?? 1));
  });
  if (part.report) return readReport(part.report, code);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
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
for (const part of PARTS) {
  const begun = Date.now();
  console.log(`\n=== ${part.name}: ${part.command.join(" ")}`);
  const tally = await runPart(part);
  total.passed += tally.passed;
  total.failed += tally.failed;
  rows.push(
    `${part.name.padEnd(26)}${String(tally.passed).padStart(5)} passed${String(tally.failed).padStart(5)} failed   ${minutes(Date.now() - begun)}`,
  );
}
console.log(`\n${rows.join("\n")}\nall parts took ${minutes(Date.now() - started)}\n`);
const line = `${total.passed} passed, ${total.failed} failed`;
await writeFile(SUMMARY, `${line}\n`);
console.log(line);
process.exitCode = total.failed === 0 ? 0 : 1;
