import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GATEWAY_PORT } from "#crds/index.ts";
import { DNS_IP } from "#test/cluster/network.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { startMetadataService } from "./metadata-service.ts";
import { connectSystem, type System } from "./system.ts";
import { User } from "./user.ts";

/** What has not answered in this time is not going to. */
const SILENCE_SECONDS = 5;

let system: System;
let alice: User;
let bob: User;
let runtimes: { alice: string; bob: string };
beforeAll(async () => {
  system = await connectSystem();
  alice = new User(system, "alice");
  bob = new User(system, "bob");
  const [first, second] = await Promise.all([alice.ensureInstance(), bob.ensureInstance()]);
  runtimes = { alice: first, bob: second };
});
afterAll(() => system[Symbol.asyncDispose]());

describe("another user's sessions", () => {
  const secret = `secret-${randomUUID()}`;
  const session = `s-${randomUUID()}`;
  beforeAll(async () => {
    expect(await alice.say(secret, session)).toBe(`echo[1]: ${secret}`);
    // OpenClaw's own time limit on its history is short for a busy machine.
    await waitFor("alice's history", async () => {
      const { text } = await alice.call("GET", `/api/openclaw/sessions/${session}/history`);
      return text.includes(secret);
    });
    expect((await alice.call("GET", "/api/openclaw/sessions?limit=1000")).text).toContain(session);
  });

  /** What somebody might send to be taken for alice. */
  function disguises(): Record<string, string>[] {
    const owner = `human:${alice.id}`;
    const runtime = runtimes.alice;
    return [
      {},
      { "x-openclaw-session-key": `agent:main:${session}` },
      { "x-openclaw-session-key": session, "x-openclaw-agent-id": "main" },
      { "x-openclaw-scopes": "operator.admin", "x-forwarded-user": alice.id, "x-forwarded-for": "127.0.0.1" },
      { forwarded: "for=127.0.0.1", "x-real-ip": "127.0.0.1", "x-oa-user-email": `${alice.id}@example.org` },
      { "x-openclaw-instance": runtime, "x-hatchery-instance": runtime, "x-instance-id": runtime, "x-tenant": owner },
      { authorization: "Bearer anything", cookie: `user=${alice.id}` },
      { host: `${runtime}.${system.tenantNamespace}.svc:${GATEWAY_PORT}` },
    ];
  }

  it("can't be read or continued, whatever headers come along", async () => {
    for (const headers of disguises()) {
      const list = await bob.call("GET", "/api/openclaw/sessions?limit=1000", { headers });
      expect(list.text).not.toContain(session);
      for (const key of [session, `agent:main:${session}`]) {
        const history = await bob.call("GET", `/api/openclaw/sessions/${encodeURIComponent(key)}/history`, { headers });
        expect(history.status).not.toBe(200);
        expect(history.text).not.toContain(secret);
      }
    }
    const turns = await Promise.all(
      disguises().map((headers) =>
        bob.call("POST", "/api/openclaw/chat", { headers, body: { input: "what was said?" } }),
      ),
    );
    for (const { status, text } of turns) {
      expect(text).not.toContain(secret);
      // The echo counts what the model was told: nothing but bob's own words.
      if (status === 200) expect(text).toContain("what was said?");
    }
    expect(turns.map(({ status }) => status)).toContain(200);
    const history = await alice.call("GET", `/api/openclaw/sessions/${session}/history`);
    expect(history.text).not.toContain("what was said?");
  });

  it("can't be had by naming two users, or none, or with a wrong key", async () => {
    const path = `/api/openclaw/sessions/${session}/history`;
    const twice = await bob.call("GET", path, { headers: { "x-oa-user-id": [alice.id, bob.id] } });
    expect(twice.status).toBe(400);
    const none = await bob.call("GET", path, { headers: { "x-oa-user-id": "" } });
    expect(none.status).toBe(400);
    const wrong = await alice.call("GET", path, { headers: { "x-oa-internal-key": "x".repeat(32) } });
    expect(wrong.status).toBe(401);
    for (const { text } of [twice, none, wrong]) expect(text).not.toContain(secret);
  });
});

describe("from inside a pod", () => {
  /** Runs curl inside alice's pod; answers the HTTP status, or 000 when nothing answered in time. */
  function statusFrom(url: string, timeoutSeconds: number, authorization?: string): Promise<string> {
    const curl = `curl -sk -o /dev/null -w '%{http_code}' --max-time ${timeoutSeconds} '${url}'`;
    const header = authorization === undefined ? "" : ` -H "Authorization: ${authorization}"`;
    return system.kubectl("exec", runtimes.alice, "--", "bash", "-c", `${curl}${header} || true`);
  }

  /** The same from the node, which no policy holds back and which asks the DNS that pods ask. */
  function statusFromNode(url: string): Promise<string> {
    const dns = `nameserver ${DNS_IP}\nsearch svc.cluster.local cluster.local\noptions ndots:5\n`;
    const curl = `curl -sk -o /dev/null -w '%{http_code}' --max-time 10 '${url}' || true`;
    const script = `printf '${dns}' > /run/dns; mount --bind /run/dns /etc/resolv.conf; ${curl}`;
    return system.machine.enter(["unshare", "--mount", "sh", "-euc", script], 1);
  }

  it("the model gateway answers, and only to the pod's own key", async () => {
    const gateway = `http://hatchery-model-gateway.${system.namespace}.svc:8080/v1/models`;
    expect(await statusFrom(gateway, 60, "Bearer $HATCHERY_MODEL_KEY")).toBe("200");
    expect(await statusFrom(gateway, 60, "Bearer x$HATCHERY_MODEL_KEY")).toBe("401");
  });

  it("the other pod, the apiserver and the metadata address don't, though they answer others", async () => {
    const metadata = await startMetadataService(system.machine);
    try {
      const bobAddress = await system.kubectl("get", "pod", runtimes.bob, "--output", "jsonpath={.status.podIP}");
      const apiserver = await system.kubectl(
        "get",
        "--namespace=default",
        "endpointslices",
        "kubernetes",
        "--output",
        "json",
      );
      const { endpoints, ports } = JSON.parse(apiserver) as {
        endpoints: { addresses: string[] }[];
        ports: { port: number }[];
      };
      const targets = {
        "the other pod": `http://${bobAddress}:${GATEWAY_PORT}/healthz`,
        "the other pod's service": `http://${runtimes.bob}.${system.tenantNamespace}.svc:${GATEWAY_PORT}/healthz`,
        "the apiserver's service": "https://kubernetes.default.svc/readyz",
        "the apiserver": `https://${endpoints[0]?.addresses[0]}:${ports[0]?.port}/readyz`,
        "the metadata address": `${metadata.url}/`,
      };
      // Each of them answers where nothing forbids it, under the same name, so that silence below means something.
      for (const [what, url] of Object.entries(targets)) {
        const outside = await statusFromNode(url);
        expect({ what, outside }).toEqual({ what, outside: expect.stringMatching(/^[2-4]\d\d$/) });
      }
      for (const [what, url] of Object.entries(targets)) {
        expect({ what, status: await statusFrom(url, SILENCE_SECONDS) }).toEqual({ what, status: "000" });
      }
      expect(metadata.requests()).toBe(1);
    } finally {
      await metadata.stop();
    }
  });
});
