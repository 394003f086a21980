import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { loadSession, type Session, saveSession } from "./session.ts";
import { down } from "./up.ts";

let state: string;
let current: Session;
const asked = () => readFile(join(state, "asked"), "utf8");
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "hatchery-up-"));
  vi.stubEnv("HATCHERY_STATE", state);
  vi.spyOn(console, "log").mockReturnValue();
  const program = join(state, "program");
  await writeFile(program, `#!/bin/sh\necho "$@" >> ${state}/asked\n[ ! -e ${state}/broken ]\n`);
  await chmod(program, 0o755);
  current = { cluster: "current", kubeconfig: join(state, "theirs"), kubectl: program, helm: program };
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await rm(state, { recursive: true });
});

it("takes down a release that never came up, with the simulated provider, and nothing of another cluster", async () => {
  const local: Session = { ...current, cluster: "local", kubeconfig: join(state, "ours") };
  await saveSession(current);
  await saveSession(local);
  await down({ CLUSTER: "current" });
  const [uninstall, remove, ...more] = (await asked()).trim().split("\n");
  expect(uninstall).toMatch(new RegExp(`^uninstall hatchery .*--kubeconfig ${state}/theirs$`));
  expect(remove).toMatch(new RegExp(`^delete namespace hatchery-model-provider .*--kubeconfig ${state}/theirs$`));
  expect(more).toEqual([]);
  expect(await loadSession("current")).toBeUndefined();
  expect(await loadSession()).toEqual(local);
});

it("ends the process that forwards a port", async () => {
  const forwarder = spawn("sh", ["-c", "read line", "port-forward"], { stdio: ["pipe", "ignore", "ignore"] });
  const ended = once(forwarder, "exit");
  await saveSession({ ...current, forwarderPid: forwarder.pid });
  await down({});
  expect(await ended).toEqual([null, "SIGTERM"]);
});

it("remembers what it could not take down", async () => {
  await saveSession(current);
  await writeFile(join(state, "broken"), "");
  await expect(down({})).rejects.toThrow("uninstall hatchery");
  expect(await loadSession()).toEqual(current);
});
