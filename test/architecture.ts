import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { fileURLToPath } from "node:url";

/** A source file: its path from the root of the repository and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

/** What each top folder may import beside itself and packages. Test files may import `test` as well. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  crds: ["lib"],
  operator: ["lib", "crds"],
  api: ["lib", "crds"],
  // Holds no code of the product; its tests compare what it sets with what the processes read.
  charts: ["lib", "crds", "operator", "api"],
  // Its smoke test runs the image with the configuration that the operator would give it.
  "runtime-image": ["lib", "crds", "operator", "test"],
};
const MAX_LINES = 300;
/** Tables of cases are long by nature. */
const MAX_TEST_LINES = 400;
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*["']([^"'\n]+)["']/g;
const EXTENSIONS = "{ts,mts,js,mjs,go,sh}";

/** Every hand-written source file of the repository. */
export function readSources(): SourceFile[] {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folders = [...Object.keys(MAY_IMPORT), "test"].join(",");
  return globSync([`{${folders}}/**/*.${EXTENSIONS}`, `*.${EXTENSIONS}`], {
    cwd: root,
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.gen.ts", "**/*_generated.go", "**/zz_generated*"],
  }).map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

/** One line for each rule a file breaks. */
export function findViolations({ path, text }: SourceFile): string[] {
  const test = isTest(path);
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  const limit = test ? MAX_TEST_LINES : MAX_LINES;
  const found = lines > limit ? [`${path}: ${lines} lines, more than ${limit}`] : [];
  for (const [, specifier = ""] of text.matchAll(IMPORT)) {
    const fault = judgeImport(path, specifier, test);
    if (fault) found.push(`${path}: imports ${specifier}: ${fault}`);
  }
  return found;
}

function judgeImport(path: string, specifier: string, test: boolean): string | undefined {
  if (specifier.includes("../../")) return "across folders use #lib/, #crds/, #test/";
  const folder = topFolder(path);
  const target = targetFolder(path, specifier);
  const allowed = folder === undefined ? undefined : MAY_IMPORT[folder];
  if (target === undefined || target === folder || allowed?.includes(target)) return undefined;
  if (target === "test" && folder !== undefined && !test) return "only tests may import the tests' parts";
  if (allowed === undefined || (test && target === "test")) return undefined;
  return `${folder} must not know ${target}`;
}

/** The top folder that an import leads to; undefined for packages and for files in the root. */
function targetFolder(path: string, specifier: string): string | undefined {
  if (specifier.startsWith("#")) return topFolder(normalize(specifier.slice(1)));
  if (specifier.startsWith(".")) return topFolder(normalize(join(dirname(path), specifier)));
  return undefined;
}

function topFolder(path: string): string | undefined {
  const slash = path.indexOf("/");
  return slash < 0 ? undefined : path.slice(0, slash);
}

function isTest(path: string): boolean {
  return path.startsWith("test/") || /\.(test|fixture)\.ts$/.test(path);
}
