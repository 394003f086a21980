import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  type ClusterKind,
  dropSession,
  loadSession,
  readClusterKind,
  type Session,
  saveSession,
  sessionDir,
} from "./session.ts";

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "hatchery-session-"));
  vi.stubEnv("HATCHERY_STATE", state);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(state, { recursive: true });
});

const session = (cluster: ClusterKind, more: Partial<Session> = {}): Session => ({
  cluster,
  kubeconfig: `/${cluster}`,
  kubectl: "/kubectl",
  helm: "/helm",
  ...more,
});

it("keeps one session of each kind of cluster, and knows the last", async () => {
  expect(await loadSession()).toBeUndefined();
  await saveSession(session("local"));
  await saveSession(session("current"));
  expect(await loadSession()).toEqual(session("current"));
  expect(await loadSession("local")).toEqual(session("local"));
  const through = session("local", { api: { url: "http://127.0.0.1:1", internalKey: "key" } });
  await saveSession(through);
  expect(await loadSession()).toEqual(through);
  expect(await loadSession("current")).toEqual(session("current"));
});

it("goes back to the session that is left", async () => {
  await saveSession(session("local"));
  await saveSession(session("current", { forwarderPid: 7 }));
  await dropSession("current");
  expect(await loadSession("current")).toBeUndefined();
  expect(await loadSession()).toEqual(session("local"));
  await dropSession("local");
  expect(await loadSession()).toBeUndefined();
  await dropSession("local");
});

it("lets nobody else read the key", async () => {
  await saveSession(session("local"));
  const { mode } = await stat(join(await sessionDir(), "sessions.json"));
  expect(mode & 0o077).toBe(0);
  expect((await stat(await sessionDir())).mode & 0o077).toBe(0);
});

it("says what to do with a file it can't read", async () => {
  await writeFile(join(await sessionDir(), "sessions.json"), "{}");
  await expect(loadSession()).rejects.toThrow(/sessions\.json can't be read; remove it/);
});

it("takes CLUSTER for a kind, for nothing, or not at all", () => {
  expect(readClusterKind({})).toBeUndefined();
  expect(readClusterKind({ CLUSTER: "" })).toBeUndefined();
  expect(readClusterKind({ CLUSTER: "current" })).toBe("current");
  expect(() => readClusterKind({ CLUSTER: "kind" })).toThrow('CLUSTER is "kind"');
});
