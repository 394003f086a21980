import { defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

const REST = "test/e2e/rest.e2e.test.ts";

/** Tests on a real cluster: one file after the other, with the patience that real pods need. */
function onCluster(name: string, test: TestProjectInlineConfiguration["test"]): TestProjectInlineConfiguration {
  const order = { fileParallelism: false, sequence: { concurrent: false } };
  return { test: { name, ...order, testTimeout: 300_000, hookTimeout: 900_000, ...test } };
}

/** Servers and timers are awaited by event; the timeouts below only end a test that hangs, they are no speed limits. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["*.test.ts", "{lib,crds,operator,api,runtime-image,test}/**/*.test.ts"],
          exclude: ["**/*.{integration,faults,outage,soak,e2e}.test.ts", "**/node_modules/**"],
          testTimeout: 60_000,
        },
      },
      // The chart is rendered by helm, which the first run on a machine compiles together with Kubernetes.
      {
        test: {
          name: "charts",
          include: ["charts/**/*.test.ts"],
          exclude: ["**/*.integration.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["**/*.integration.test.ts"],
          globalSetup: ["test/harness/integration-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/faults/**/*.faults.test.ts"],
          globalSetup: ["test/harness/faults-setup.ts"],
          // Each test plays many runs at a time already.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      // Each starts what it stops: a control plane, a Postgres and replicas of the API of its own.
      {
        test: {
          name: "outages",
          include: ["test/outages/**/*.outage.test.ts"],
          fileParallelism: false,
          testTimeout: Number(process.env.OUTAGE_SECONDS ?? 0) * 2_000 + 240_000,
          hookTimeout: 120_000,
        },
      },
      // Not part of `make test`: these run as long as what they wait for really takes.
      {
        test: {
          name: "soak",
          include: ["test/faults/soak/*.soak.test.ts"],
          globalSetup: ["test/harness/faults-setup.ts"],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
        },
      },
      onCluster("cluster", { include: ["test/{cluster,up}/**/*.e2e.test.ts"] }),
      onCluster("e2e", {
        include: ["test/e2e/**/*.e2e.test.ts"],
        exclude: [REST],
        globalSetup: ["test/harness/e2e-setup.ts"],
      }),
      // A system of its own that nothing disturbs, so that its five minutes pass beside the other tests.
      onCluster("rest", { include: [REST], globalSetup: ["test/harness/e2e-setup.ts"] }),
    ],
  },
});
