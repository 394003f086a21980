import { GO_ENV, GO_FLAGS } from "./binaries.ts";
import { here } from "./paths.ts";
import { run } from "./shell.ts";

/** Packages with tests of their own, by module. `./...` would compile commands that have none. */
const TESTED: Readonly<Record<string, string>> = { capsule: ".", kube: "./netpol" };

/** Runs the tests of the Go modules; what of Kubernetes they need is shared with its build. */
for (const [module, packages] of Object.entries(TESTED)) {
  const argv = ["go", "test", ...GO_FLAGS, "-vet=off", packages];
  process.stdout.write(await run(argv, { cwd: here("go", module), env: GO_ENV }));
}
