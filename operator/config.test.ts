import { beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "#lib/env.ts";
import { keysReady } from "#lib/keys.ts";
import { readOperatorConfig } from "./config.ts";

beforeAll(keysReady);

const env = {
  OPENCLAW_ENCRYPTION_KEY: "c3".repeat(32),
  MODEL_GATEWAY_URL: "http://model-gateway.hatchery.svc:8080/",
  POD_NAMESPACE: "hatchery",
  POD_NAME: "operator-0",
};

function faults(changes: Record<string, string | undefined>): string {
  try {
    readOperatorConfig({ ...env, ...changes });
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
}

describe("the operator's environment", () => {
  it("needs no more than these, and has defaults for the rest", () => {
    expect(readOperatorConfig(env)).toMatchObject({
      modelGatewayUrl: "http://model-gateway.hatchery.svc:8080",
      namespace: "hatchery",
      podName: "operator-0",
      leaseName: "hatchery-operator",
      opsPort: 9090,
      logLevel: "info",
      kubeconfig: undefined,
      workers: 8,
      watchNamespaces: undefined,
      gatewayRecheckMs: 180_000,
      dnsCidrs: [],
    });
  });

  it("names DNS servers as a list", () => {
    const { dnsCidrs } = readOperatorConfig({ ...env, DNS_CIDRS: "169.254.20.10/32, fd00::10/128" });
    expect(dnsCidrs).toEqual(["169.254.20.10/32", "fd00::10/128"]);
  });

  it("names the namespaces to work in as a list", () => {
    expect(readOperatorConfig({ ...env, WATCH_NAMESPACES: "team-a, team-b" }).watchNamespaces).toEqual([
      "team-a",
      "team-b",
    ]);
  });

  it.each([
    ["OPENCLAW_ENCRYPTION_KEY", undefined],
    ["OPENCLAW_ENCRYPTION_KEY", "secret-but-short"],
    ["MODEL_GATEWAY_URL", undefined],
    ["MODEL_GATEWAY_URL", "model-gateway:8080"],
    ["POD_NAMESPACE", ""],
    ["POD_NAME", undefined],
    ["LEASE_NAME", "The Operator"],
    ["OPS_PORT", "http"],
    ["LOG_LEVEL", "loud"],
    ["WORKERS", "0"],
    ["GATEWAY_RECHECK_SECONDS", "often"],
    ["DNS_CIDRS", "10.0.0.10"],
    ["WATCH_NAMESPACES", "Team_A"],
    ["WATCH_NAMESPACES", "team-a,team-b,team-a"],
  ])("is refused with %s=%s, by that name and without the value", (name, value) => {
    const message = faults({ [name]: value });
    expect(message).toContain(name);
    expect(message).toContain("expects");
    if (value) expect(message).not.toContain(value);
  });

  it("is refused with all its faults at once", () => {
    const message = faults({ OPENCLAW_ENCRYPTION_KEY: "x", POD_NAME: undefined, WORKERS: "many" });
    for (const name of ["OPENCLAW_ENCRYPTION_KEY", "POD_NAME", "WORKERS"]) expect(message).toContain(name);
  });
});
