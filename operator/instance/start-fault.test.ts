import { expect, it } from "vitest";
import { startFaultOf } from "./start-fault.ts";

it.each<[number, string, string | undefined]>([
  [78, 'Invalid config at /config/openclaw.json: gateway: Unrecognized key: "x"', "ConfigRejected"],
  [78, "existing config is missing gateway.mode", "ConfigRejected"],
  [78, "Refusing to bind gateway to lan without auth.", "ConfigRejected"],
  [78, "Invalid config: $include ./other.json: ENOENT: no such file or directory", "ConfigRejected"],
  [78, "EACCES: permission denied, mkdir '/data/state'", "StateUnusable"],
  [78, "EROFS: read-only file system, open '/data/state/openclaw.json'", "StateUnusable"],
  [78, "StateDatabaseCoordinatorContentionError: another process owns the state", "StateUnusable"],
  [78, "OpenClaw startup migration lease heartbeat lost", "StateUnusable"],
  [78, "gateway requires a newer OpenClaw build. Stop the service", "StateUnusable"],
  [78, "ENOSPC: no space left on device, write", "StorageFull"],
  [1, "Error: database or disk is full", "StorageFull"],
  [1, "mkdir: cannot create directory '/data/home': No space left on device", "StorageFull"],
  [78, "nothing that we know", undefined],
  [1, "required secrets are unavailable", undefined],
])('OpenClaw\'s end with %i and the words "%s" is %s', (exitCode, said, reason) => {
  expect(startFaultOf(exitCode, said)?.reason).toBe(reason);
});
