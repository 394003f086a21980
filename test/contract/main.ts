import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CONTROL_KEY_HEADER } from "#api/auth/control-key.ts";
import type { ApiContext } from "#api/context.ts";
import { createControlRoutes } from "#api/control/index.ts";
import { openApiDocument } from "#api/openapi/document.ts";
import type { OpenApiDocument } from "#api/openapi/types.ts";
import { CONTROL_KEY } from "#api/testing/api-under-test.ts";
import { VERSION } from "#lib/version.ts";
import { configFor } from "./config.ts";
import { ensureSchemathesis, type Pass, runPass } from "./schemathesis.ts";
import { type Site, startSite } from "./site.ts";

const FOLDER = fileURLToPath(new URL("../../dist/contract", import.meta.url));
/** They take away what the others need. */
const ENDINGS = ["deleteInstance", "stopRuntime"];
/** In a row of calls, the paths it tells of are taken for ids. */
const INDEX = ["listOperations"];

/** A user id beside another credential counts for nothing, and is taken for a credential by itself. */
const BESIDE_OTHERS = ["ignored_auth"];

/*
 * node test/contract/main.ts                        holds every answer of a running API against its OpenAPI document
 * node test/contract/main.ts --examples 200 --seed 7    with more calls, and others
 */
const { values } = parseArgs({
  options: { examples: { type: "string", default: "10" }, seed: { type: "string", default: "1" } },
});

const program = await ensureSchemathesis();
// What an earlier run found is not to guide this one.
await rm(FOLDER, { recursive: true, force: true });
await mkdir(FOLDER, { recursive: true });
await using site = await startSite();
const rows: string[] = [];
let failed = 0;
for (const pass of await passesOf(site, Number(values.examples))) {
  console.log(`\n=== ${pass.name}`);
  const { isClean, operations, calls } = await runPass(program, pass, { seed: Number(values.seed), folder: FOLDER });
  if (!isClean) failed += 1;
  rows.push(`${isClean ? "ok    " : "FAILED"} ${pass.name}: ${operations} operations, ${calls} calls`);
}
const drifts = new Set(site.drifts.map(({ message }) => message));
console.log(`\n${[...rows, ...drifts].join("\n")}`);
process.exitCode = failed === 0 && drifts.size === 0 ? 0 : 1;

/** Everybody who may call, from the most powerful to nobody, and the internal listener's callers. */
async function passesOf({ api, credentials }: Site, examples: number): Promise<Pass[]> {
  const document = `${api.url}/api/openapi.json`;
  const described = (await (await fetch(document)).json()) as OpenApiDocument;
  const config = configFor(described);
  const everything = { document, url: api.url, config, phases: ["fuzzing"] as const };
  const few = Math.ceil(examples / 3);
  const control = await controlDocument();
  return [
    {
      ...everything,
      name: "admin",
      headers: credentials.admin,
      phases: ["coverage", "fuzzing", "stateful"],
      examples,
      without: [...ENDINGS, ...INDEX],
    },
    {
      ...everything,
      name: "admin-with-zeros",
      headers: credentials.admin,
      config: configFor(described, true),
      checks: ["not_a_server_error", "status_code_conformance", "response_schema_conformance"],
      examples,
    },
    { ...everything, name: "user", headers: credentials.user, examples },
    { ...everything, name: "reader", headers: credentials.reader, examples: few, unchecked: BESIDE_OTHERS },
    { ...everything, name: "agent", headers: credentials.agent, examples: few, unchecked: BESIDE_OTHERS },
    { ...everything, name: "stranger", headers: credentials.stranger, examples: few },
    { ...everything, name: "nobody", headers: {}, examples: few },
    { ...everything, name: "control", ...control, url: api.controlUrl, phases: ["coverage", "fuzzing"], examples },
  ];
}

/** The internal listener serves no document of itself. */
async function controlDocument(): Promise<Pick<Pass, "document" | "config" | "headers">> {
  const routes = createControlRoutes({} as ApiContext);
  const document = openApiDocument({ routes, schemes: [], version: VERSION });
  const path = join(FOLDER, "control.openapi.json");
  await writeFile(path, JSON.stringify(document));
  return { document: path, config: configFor(document), headers: { [CONTROL_KEY_HEADER]: CONTROL_KEY } };
}
