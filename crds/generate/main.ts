import { generatedFiles } from "./outputs.ts";
import { writeOrCheck } from "./write.ts";

/*
 * node crds/generate/main.ts            writes every generated file
 * node crds/generate/main.ts --check    changes nothing; names the files that are out of date and exits 1
 */
await writeOrCheck(generatedFiles(), {
  check: process.argv.includes("--check"),
  command: "node crds/generate/main.ts",
});
