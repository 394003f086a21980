import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { run } from "#test/cluster/shell.ts";
import { saveSession } from "./session.ts";
import { showEnvironment } from "./show.ts";

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "hatchery-show-"));
  vi.stubEnv("HATCHERY_STATE", state);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(state, { recursive: true });
});

const local = { cluster: "local", kubeconfig: "/it's here/config", kubectl: "/kubectl", helm: "/helm" } as const;
const api = { url: "http://127.0.0.1:1", internalKey: "key" };

it("exports what a shell reads back as it was, whatever is in it", async () => {
  await saveSession({ ...local, api });
  const log = vi.spyOn(console, "log").mockReturnValue();
  await showEnvironment({});
  const script = log.mock.calls.flat().join("\n");
  const said = await run(["sh", "-euc", `${script}\nprintf '%s\\n' "$KUBECONFIG" "$HATCHERY_URL" "$OA_INTERNAL_KEY"`]);
  expect(said).toBe("/it's here/config\nhttp://127.0.0.1:1\nkey\n");
});

it("exports what CLUSTER asks for, else what was brought up last", async () => {
  await saveSession({ ...local, api });
  await saveSession({ ...local, cluster: "current", kubeconfig: "/current", api });
  const log = vi.spyOn(console, "log").mockReturnValue();
  await showEnvironment({});
  await showEnvironment({ CLUSTER: "local" });
  const configs = log.mock.calls.flat().filter((line: string) => line.startsWith("export KUBECONFIG="));
  expect(configs).toEqual(["export KUBECONFIG='/current'", "export KUBECONFIG='/it'\\''s here/config'"]);
});

it("tells nothing up from not up yet", async () => {
  await expect(showEnvironment({})).rejects.toThrow("nothing is up");
  await saveSession(local);
  await expect(showEnvironment({})).rejects.toThrow("did not get as far as the API");
  await expect(showEnvironment({ CLUSTER: "current" })).rejects.toThrow("nothing is up");
});
