import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { inspect } from "node:util";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "#lib/env.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { loadKubeAccess } from "./config.ts";

const [CA = "", OTHER_CA = ""] = rootCertificates;
/** A client certificate and its key. */
let pair: { cert: Buffer; key: Buffer };
beforeAll(() => {
  const made = mkdtempSync(join(tmpdir(), "pair-"));
  const [cert, key] = [join(made, "crt"), join(made, "key")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=ann"];
  execFileSync("openssl", ["req", "-x509", ...kind, "-keyout", key, "-out", cert], { stdio: "ignore" });
  pair = { cert: readFileSync(cert), key: readFileSync(key) };
});

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kubeconfig-"));
});

const cluster = { server: "https://192.0.2.1:6443/", "certificate-authority": "ca.crt" };

function write(user: object, more: object = {}): string {
  const path = join(dir, "config");
  writeFileSync(join(dir, "ca.crt"), CA);
  const config = {
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "home" } }],
    "current-context": "x",
    ...more,
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

describe("loadKubeAccess", () => {
  it("reads the current context: server, namespace, token, CA beside the file", async () => {
    const access = loadKubeAccess(write({ token: "t0p" }));
    expect(access).toMatchObject({ server: "https://192.0.2.1:6443", namespace: "home" });
    const { headers, tls } = await access.credentials();
    expect(headers).toEqual({ authorization: "Bearer t0p" });
    expect(tls).toEqual({ ca: Buffer.from(CA) });
  });

  it("reads client certificates, from data and from files", async () => {
    writeFileSync(join(dir, "tls.key"), pair.key);
    const data = pair.cert.toString("base64");
    const { headers, tls } = await loadKubeAccess(
      write({ "client-certificate-data": data, "client-key": "tls.key" }),
    ).credentials();
    expect(headers).toEqual({});
    expect(tls).toMatchObject(pair);
  });

  it("reads the CA once, and again when its file changed", async () => {
    const clock = new ManualClock();
    const access = loadKubeAccess(write({ token: "t" }), clock);
    const { tls } = await access.credentials();
    await clock.advance(120_000);
    expect((await access.credentials()).tls).toBe(tls);
    writeFileSync(join(dir, "ca.crt"), OTHER_CA);
    utimesSync(join(dir, "ca.crt"), 1, 1);
    expect((await access.credentials()).tls).toBe(tls);
    await clock.advance(60_000);
    expect((await access.credentials()).tls).toEqual({ ca: Buffer.from(OTHER_CA) });
  });

  it("reads a token file anew after a refresh, without the newline at its end", async () => {
    writeFileSync(join(dir, "token"), "first\n");
    const access = loadKubeAccess(write({ tokenFile: "token" }));
    const bearer = async () => (await access.credentials()).headers.authorization;
    expect(await bearer()).toBe("Bearer first");
    writeFileSync(join(dir, "token"), "second\n");
    expect(await bearer()).toBe("Bearer first");
    access.refresh();
    expect(await bearer()).toBe("Bearer second");
  });

  it("takes name and password, and a server name to verify", async () => {
    const path = write(
      { username: "ann", password: "pw" },
      {
        clusters: [{ name: "c", cluster: { ...cluster, "tls-server-name": "kube", "insecure-skip-tls-verify": true } }],
      },
    );
    const { headers, tls } = await loadKubeAccess(path).credentials();
    expect(headers).toEqual({ authorization: `Basic ${Buffer.from("ann:pw").toString("base64")}` });
    expect(tls).toMatchObject({ servername: "kube", rejectUnauthorized: false });
  });

  it("asks a plugin, and again after a refresh", async () => {
    const count = join(dir, "count");
    const script = `const fs = require("node:fs"); fs.appendFileSync(process.env.COUNT, "."); const token = String(fs.statSync(process.env.COUNT).size); console.log(JSON.stringify({ status: { token } }))`;
    const exec = { command: process.execPath, args: ["-e", script], env: [{ name: "COUNT", value: count }] };
    const access = loadKubeAccess(write({ exec }));
    const bearer = async () => (await access.credentials()).headers.authorization;
    expect([await bearer(), await bearer()]).toEqual(["Bearer 1", "Bearer 1"]);
    access.refresh();
    expect(await bearer()).toBe("Bearer 2");
  });

  it("takes the certificate a plugin hands out, the same object as long as it is the same", async () => {
    const status = { clientCertificateData: "the cert", clientKeyData: "the key" };
    const exec = { command: process.execPath, args: ["-p", JSON.stringify(JSON.stringify({ status }))] };
    const access = loadKubeAccess(write({ exec }));
    const { headers, tls } = await access.credentials();
    expect([headers, tls]).toEqual([{}, { ca: Buffer.from(CA), cert: "the cert", key: "the key" }]);
    expect((await access.credentials()).tls).toBe(tls);
  });

  it("impersonates whom the kubeconfig names", async () => {
    const { headers } = await loadKubeAccess(write({ token: "t", as: "ann" })).credentials();
    expect(headers).toEqual({ authorization: "Bearer t", "impersonate-user": "ann" });
  });

  it("reads a token file once a minute", async () => {
    const clock = new ManualClock();
    writeFileSync(join(dir, "token"), "first");
    const access = loadKubeAccess(write({ tokenFile: "token" }), clock);
    const bearer = async () => (await access.credentials()).headers.authorization;
    expect(await bearer()).toBe("Bearer first");
    writeFileSync(join(dir, "token"), "second");
    await clock.advance(59_000);
    expect(await bearer()).toBe("Bearer first");
    await clock.advance(1_000);
    expect(await bearer()).toBe("Bearer second");
  });

  it.each([
    ["a context that is not there", () => write({}, { "current-context": "gone" }), 'context "gone"'],
    ["a cluster that is not there", () => write({}, { clusters: [] }), 'cluster "c"'],
    ["a user that is not there", () => write({}, { users: [] }), 'user "u"'],
    [
      "a CA file that is not there",
      () => write({}, { clusters: [{ name: "c", cluster: { ...cluster, "certificate-authority": "no.crt" } }] }),
      "no.crt",
    ],
    [
      "a server that is no URL",
      () => write({}, { clusters: [{ name: "c", cluster: { server: "nowhere" } }] }),
      '"nowhere"',
    ],
    [
      "a server without http or https",
      () => write({}, { clusters: [{ name: "c", cluster: { server: "localhost:6443" } }] }),
      '"localhost:6443" is not an http(s) URL',
    ],
    [
      "a CA that is no certificate",
      () =>
        write(
          {},
          { clusters: [{ name: "c", cluster: { server: cluster.server, "certificate-authority-data": "bm9uZQ==" } }] },
        ),
      "certificate-authority",
    ],
    [
      "a client certificate that is none",
      () => write({ "client-certificate-data": "bm9uZQ==", "client-key-data": pair.key.toString("base64") }),
      "client certificate",
    ],
    [
      "a client certificate without its key",
      () => write({ "client-certificate-data": pair.cert.toString("base64") }),
      "client certificate",
    ],
    [
      "a proxy",
      () => write({}, { clusters: [{ name: "c", cluster: { ...cluster, "proxy-url": "http://p" } }] }),
      "proxy-url",
    ],
    ["a way to authenticate of old", () => write({ "auth-provider": { name: "oidc" } }), "auth-provider"],
    ["a cluster without a server", () => write({}, { clusters: [{ name: "c", cluster: {} }] }), "server is missing"],
  ])("refuses %s, naming KUBECONFIG", (_what, path, message) => {
    const load = () => loadKubeAccess(path());
    expect(load).toThrow(ConfigError);
    expect(load).toThrow("KUBECONFIG");
    expect(load).toThrow(message);
  });

  it("refuses a file that is not there or holds something else", () => {
    expect(() => loadKubeAccess(join(dir, "none"))).toThrow(/KUBECONFIG .*none.* ENOENT/);
    writeFileSync(join(dir, "list"), "- a\n- b\n");
    expect(() => loadKubeAccess(join(dir, "list"))).toThrow(ConfigError);
    writeFileSync(join(dir, "empty"), "");
    expect(() => loadKubeAccess(join(dir, "empty"))).toThrow(ConfigError);
  });

  it("says where a file is broken, without a piece of it", () => {
    const path = join(dir, "broken");
    writeFileSync(path, "users:\n  - name: u\n    user: {token: s3cret-t0ken\n");
    const load = () => loadKubeAccess(path);
    expect(load).toThrow(/KUBECONFIG .*broken.* at \d+:\d+/);
    try {
      load();
    } catch (error) {
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("s3cret");
    }
  });

  it("says what is missing outside a pod", () => {
    expect(() => loadKubeAccess()).toThrow("KUBERNETES_SERVICE_HOST");
  });
});
