import { expect, it } from "vitest";
import { parse } from "yaml";
import { apiserverArguments, renderTokens } from "./components.ts";
import { renderKubeconfig } from "./kubeconfig.ts";
import { leafArguments } from "./pki.ts";

it("writes a token file the apiserver can read", () => {
  const users = [
    { token: "t1", user: "admin", groups: ["system:masters", "more"] },
    { token: "t2", user: "plain" },
  ];
  expect(renderTokens(users)).toBe('t1,admin,admin,"system:masters,more"\nt2,plain,plain\n');
});

it("writes a kubeconfig that stands alone", () => {
  const config = parse(renderKubeconfig({ server: "https://127.0.0.1:1", ca: "PEM", token: "secret" })) as {
    clusters: { cluster: Record<string, string> }[];
    "current-context": string;
    contexts: { name: string }[];
  };
  expect(config.clusters[0]?.cluster).toEqual({ server: "https://127.0.0.1:1", "certificate-authority-data": "UEVN" });
  expect(config.contexts.map((context) => context.name)).toContain(config["current-context"]);
});

it("asks for an audit log only when there is to be one", () => {
  const options = {
    etcdUrl: "http://127.0.0.1:1",
    bindAddress: "127.0.0.1",
    advertiseAddress: "127.0.0.1",
    port: 2,
    pkiDir: "/pki",
    tokenFile: "/tokens",
  };
  expect(apiserverArguments(options).join(" ")).not.toContain("audit");
  const audited = apiserverArguments({ ...options, audit: { policyFile: "/policy", logFile: "/log" } });
  expect(audited).toContain("--audit-log-path=/log");
});

it("names a leaf's group and addresses", () => {
  const args = leafArguments("/pki", { name: "x", commonName: "cn", organization: "o", altNames: ["IP:127.0.0.1"] });
  expect(args).toContain("/O=o/CN=cn");
  expect(args).toContain("subjectAltName=IP:127.0.0.1");
  expect(leafArguments("/pki", { name: "x", commonName: "cn" }).join(" ")).not.toContain("subjectAltName");
});
