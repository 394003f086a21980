import { writeOrCheck } from "#crds/generate/write.ts";
import { COMMAND, generatedFiles } from "./outputs.ts";

/*
 * node api/openapi/generate.ts            writes every generated file of the API
 * node api/openapi/generate.ts --check    changes nothing; names the files that are out of date and exits 1
 */
await writeOrCheck(generatedFiles(), { check: process.argv.includes("--check"), command: COMMAND });
