import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "#test/cluster/lock.ts";
import { ensurePackages } from "#test/cluster/packages.ts";
import { cacheRoot } from "#test/cluster/paths.ts";
import { step } from "#test/cluster/progress.ts";
import { run } from "#test/cluster/shell.ts";

/** Exact versions, so that a run finds today what it found yesterday. */
const REQUIREMENTS = new URL("requirements.txt", import.meta.url);

/** Makes sure that schemathesis is installed, in a virtual environment of its own; answers its path. */
export async function ensureSchemathesis(): Promise<string> {
  const requirements = await readFile(REQUIREMENTS, "utf8");
  const digest = createHash("sha256").update(requirements).digest("hex").slice(0, 12);
  const folder = join(cacheRoot(), `schemathesis-${digest}`);
  const complete = join(folder, "complete");
  await withLock(join(cacheRoot(), "locks", "schemathesis"), async () => {
    if (existsSync(complete)) return;
    await ensurePackages([["python3-venv", "python3"]]);
    await step("install schemathesis", async () => {
      await rm(folder, { recursive: true, force: true });
      await run(["python3", "-m", "venv", folder]);
      await run([join(folder, "bin", "pip"), "install", "--quiet", "--no-deps", "-r", REQUIREMENTS.pathname]);
    });
    await writeFile(complete, "");
  });
  return join(folder, "bin", "schemathesis");
}

/** One run over the operations of a document, with one credential. */
export interface Pass {
  readonly name: string;
  /** URL or path of the document. */
  readonly document: string;
  /** Where its operations are. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly phases: readonly ("examples" | "coverage" | "fuzzing" | "stateful")[];
  /** Calls that are made up for each operation. */
  readonly examples: number;
  /** The whole configuration, as TOML. */
  readonly config: string;
  /** Operations left out. */
  readonly without?: readonly string[];
  /** What is checked, everything by default. */
  readonly checks?: readonly string[];
  /** Checks left out. */
  readonly unchecked?: readonly string[];
}

/** What a pass came to. */
export interface PassResult {
  /** Everything that was meant to be called was, and nothing was found. */
  readonly isClean: boolean;
  readonly operations: number;
  readonly calls: number;
}

/** Runs a pass; what it says goes to standard output, what it leaves into `folder` (an absolute path). */
export async function runPass(program: string, pass: Pass, o: { seed: number; folder: string }): Promise<PassResult> {
  const config = join(o.folder, `${pass.name}.toml`);
  const report = join(o.folder, `${pass.name}.report.json`);
  await writeFile(config, pass.config);
  const options: [name: string, value: string][] = [
    ["url", pass.url],
    ["phases", pass.phases.join(",")],
    ["max-examples", String(pass.examples)],
    ["checks", (pass.checks ?? ["all"]).join(",")],
    ...(pass.unchecked ?? []).map((check): [string, string] => ["exclude-checks", check]),
    ...(pass.without ?? []).map((operation): [string, string] => ["exclude-operation-id", operation]),
    ...Object.entries(pass.headers).map(([name, value]): [string, string] => ["header", `${name}: ${value}`]),
    ["seed", String(o.seed)],
    // Several trip over each other in Python's own parser (before 3.12), and gain nothing.
    ["workers", "1"],
    ["warnings", "off"],
    ["generation-database", "none"],
    ["report-json-path", report],
  ];
  const flags = options.map(([name, value]) => `--${name}=${value}`);
  const args = ["--config-file", config, "run", pass.document, "--continue-on-failure", "--no-color", ...flags];
  // It keeps what it learns beside where it runs.
  const child = spawn(program, args, { cwd: o.folder, stdio: ["ignore", "inherit", "inherit"] });
  const [code] = (await once(child, "close")) as [number | null];
  const { operations, test_cases } = JSON.parse(await readFile(report, "utf8")) as Report;
  const isComplete = operations.tested === operations.selected && operations.tested > 0;
  return { isClean: code === 0 && isComplete, operations: operations.tested, calls: test_cases.generated };
}

/** What we read of its report. */
interface Report {
  readonly operations: { readonly selected: number; readonly tested: number };
  readonly test_cases: { readonly generated: number };
}
