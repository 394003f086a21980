import { beforeAll, describe, expect, it } from "vitest";
import { keysReady } from "#lib/keys.ts";
import { readConfig } from "../api/config.ts";
import { EXTERNAL_DATABASE, find, type Rendered, render } from "./chart.fixture.ts";
import type { Deployment, NetworkPolicy } from "./kinds.fixture.ts";

const A = { issuer: "https://a.example.org/realms/main", audience: ["https://hatchery.example.org"] };
/** Every field there is; the values' schema must take what the API takes. */
const FULL = {
  issuer: "http://b.example.org:8080",
  audience: ["one", "https://two.example.org/"],
  jwksUri: "http://b.example.org:9090/keys",
  insecure: true,
  algorithms: ["PS256", "Ed25519"],
  userIdClaim: "oid",
  emailClaim: "",
  emailVerifiedClaim: "https://b.example.org/<verified>",
  groupsClaim: "",
  scopeClaim: "scp",
  subjectPrefix: `"b"&'$:`,
};

/** The first run on a machine compiles helm. */
const BUILD_MS = 1_800_000;
let full: Rendered[];

beforeAll(async () => {
  await keysReady();
  const alias = { ...A, issuer: "https://a2.example.org", sharesSubjectsWith: A.issuer, emailClaim: "mail" };
  const oidc = { issuers: [{ ...A, emailClaim: "email" }, FULL, alias], maxTokenAgeSeconds: 2_592_000, ports: [8443] };
  full = await render({ oidc });
}, BUILD_MS);

const apiOf = (all: readonly Rendered[]) => find<Deployment>(all, "Deployment", "hatchery-api").spec.template.spec;

/** What the API makes of its environment, with secrets of no account. */
function configOf(all: readonly Rendered[]) {
  const secret = (name: string) => (name === "OPENCLAW_ENCRYPTION_KEY" ? "a1" : "kk").repeat(32);
  const env = apiOf(all).containers[0]?.env.map(({ name, value }) => [name, value ?? secret(name)]);
  return readConfig(Object.fromEntries(env ?? [])).oidc;
}

function egressPorts(all: readonly Rendered[]) {
  const { egress } = find<NetworkPolicy>(all, "NetworkPolicy", "hatchery-api").spec;
  return egress.filter(({ to }) => to === undefined).map(({ ports }) => ports.map(({ port }) => port));
}

describe("issuers", () => {
  it("are told to the API as they are given", () => {
    const { issuers, maxTokenAgeSeconds, caFile } = configOf(full);
    expect({ maxTokenAgeSeconds, caFile }).toEqual({ maxTokenAgeSeconds: 2_592_000, caFile: undefined });
    expect(issuers[0]).toMatchObject({ ...A, emailClaim: "email", prefix: "", groupsClaim: "groups" });
    const { insecure, subjectPrefix, ...told } = FULL;
    expect(issuers[1]).toMatchObject({ ...told, plainHttp: insecure, prefix: subjectPrefix });
    expect(issuers[2]).toMatchObject({ issuer: "https://a2.example.org", emailClaim: "mail", prefix: "" });
  });

  it("are reached at the ports of their URLs and those that are named", async () => {
    expect(egressPorts(full)).toContainEqual([443, 8080, 8443, 9090]);
    // Names, the apiserver, and nothing else.
    expect(egressPorts(await render())).toEqual([
      [53, 53],
      [443, 6443],
    ]);
  });

  it("may have authorities of their own, beside those of the database", async () => {
    const all = await render({
      ...EXTERNAL_DATABASE,
      externalDatabase: { ...EXTERNAL_DATABASE.externalDatabase, tls: { caSecret: { name: "database-ca" } } },
      oidc: { issuers: [A], caSecret: { name: "issuers-ca", key: "root.pem" } },
    });
    expect(configOf(all).caFile).toBe("/etc/hatchery/oidc/ca.crt");
    const { containers, volumes } = apiOf(all);
    expect(volumes).toEqual([
      { name: "postgres-ca", secret: { secretName: "database-ca", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { name: "oidc-ca", secret: { secretName: "issuers-ca", items: [{ key: "root.pem", path: "ca.crt" }] } },
    ]);
    expect(containers[0]?.volumeMounts).toEqual([
      { name: "postgres-ca", mountPath: "/etc/hatchery/postgres", readOnly: true },
      { name: "oidc-ca", mountPath: "/etc/hatchery/oidc", readOnly: true },
    ]);
    const alone = await render({ oidc: { issuers: [A], caSecret: { name: "issuers-ca" } } });
    expect(apiOf(alone).volumes).toHaveLength(1);
    expect(apiOf(alone).containers[0]?.volumeMounts).toHaveLength(1);
  });

  it.each([
    ["no audience", { issuer: A.issuer }, "audience"],
    ["a URL with a user", { ...A, issuer: "https://u:hunter2@a.example.org" }, "issuer"],
    ["HMAC", { ...A, algorithms: ["HS256"] }, "algorithms"],
    ["a field nobody knows", { ...A, clientSecret: "hunter2" }, "clientSecret"],
  ])("are refused with %s before anything is installed", async (_name, issuer, field) => {
    await expect(render({ oidc: { issuers: [issuer] } })).rejects.toThrow(field);
  });
});
