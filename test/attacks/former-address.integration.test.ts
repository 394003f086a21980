import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { newInstance } from "#api/instances/service.ts";
import { type ApiOnCluster, runtimeAt, startApiOnCluster } from "#api/testing/api-on-cluster.ts";
import { call } from "#api/testing/client.ts";
import { eventually } from "#api/testing/eventually.ts";
import { INSTANCES } from "#crds/index.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { BODIES } from "./bodies.ts";
import { startTenantGateway, type TenantGateway } from "./gateway.ts";

/** Takes WebSockets alone; api/gateway-socket/handshake.test.ts shows the same of it. */
const SOCKETS = "/api/openclaw/gateway";
const SECRET = "of-who-lives-there-now";
const owned = new AsyncDisposableStack();
let cluster: TestNamespace;
let api: ApiOnCluster;
/** At the address that once was alice's; it asks for the token of its own slot. */
let stranger: TenantGateway;
beforeAll(async () => {
  const access = loadKubeAccess(inject("kubeconfig"));
  cluster = owned.use(await createTestNamespace(access, "address"));
  api = owned.use(
    await startApiOnCluster({ access, namespace: cluster.namespace, postgresPort: inject("postgresPort") }),
  );
  stranger = owned.use(await startTenantGateway(() => "the token of another slot", SECRET));
  const made = await cluster.client.create(
    INSTANCES,
    newInstance({ kind: "Human", subject: "alice" }, cluster.namespace),
  );
  const ref = { namespace: cluster.namespace, name: made.metadata.name };
  const status = {
    observedGeneration: made.metadata.generation,
    phase: "Ready",
    runtime: runtimeAt(api.config, stranger.origin),
  };
  await cluster.client.mergePatch(INSTANCES, ref, { status }, { subresource: "status" });
});
afterAll(() => owned.disposeAsync());

it("who lives at a tenant's former address refuses the tenant's calls, and the tenant hears to try again, nothing else", async () => {
  await eventually(() => api.informer.list()[0]?.status?.phase).toBe("Ready");
  const calling = api.routes.filter(({ errors, path }) => errors.includes("instance_moved") && path !== SOCKETS);
  expect(calling.length).toBeGreaterThan(8);
  for (const [index, { method, path, operation }] of calling.entries()) {
    const body = BODIES[operation]?.("");
    const answer = await call(api.url, {
      method,
      path: path.replaceAll(/:\w+/g, "telegram"),
      ...(body ? { body } : {}),
    });
    expect([operation, answer.status, answer.headers["retry-after"]]).toEqual([operation, 503, "2"]);
    expect(answer.text).toContain("instance_moved");
    expect(answer.text).not.toContain(SECRET);
    expect(stranger.calls).toBe(index + 1);
  }
});
