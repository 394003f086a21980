import { describe, expect, it } from "vitest";
import type { ApiContext } from "../context.ts";
import { createRoutes } from "./index.ts";

/** Routes only take the context apart when they are made. */
const routes = createRoutes({} as ApiContext);
const routeOf = (operation: string) => routes.find((route) => route.operation === operation);

describe("what an agent may not do by itself", () => {
  it.each([
    ["createInstance", "openclaw_provision", {}, /Create or start/],
    ["deleteInstance", "openclaw_delete", {}, /Delete/],
    ["approveDevice", "openclaw_approve_device", { requestId: "r-1" }, /r-1/],
    [
      "approvePairingRequest",
      "openclaw_approve_pairing",
      { channel: "telegram", code: "SDQMNLRC" },
      /SDQMNLRC.*telegram/,
    ],
    ["restartRuntime", "openclaw_restart", {}, /Restart/],
    ["startRuntime", "openclaw_start", {}, /Start/],
    ["stopRuntime", "openclaw_stop", {}, /Stop/],
  ])("%s waits for a human, who is told of what", (operation, tool, input, told) => {
    const route = routeOf(operation);
    if (!route || !("gated" in route)) throw new Error(`${operation} is not gated`);
    expect([route.scope, route.gated?.tool]).toEqual(["openclaw:write", tool]);
    expect(route.gated?.summarize(input)).toMatch(told);
  });

  it.each(["listDevices", "listPairingRequests"])("is not to look: %s", (operation) => {
    expect(routeOf(operation)).toMatchObject({ access: "tenant", scope: "openclaw:read" });
    expect(routeOf(operation)).not.toHaveProperty("gated");
  });
});
