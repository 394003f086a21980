import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { Route } from "#api/http/route.ts";
import { call } from "#api/testing/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { BODIES } from "./bodies.ts";
import { disguises, PATH_TRICKS } from "./disguises.ts";
import { buildWorld, SECRET, type World } from "./world.ts";

const owned = new AsyncDisposableStack();
let world: World;
let before: string;
beforeAll(async () => {
  world = owned.use(await buildWorld(loadKubeAccess(inject("kubeconfig")), inject("postgresPort")));
});
afterAll(() => owned.disposeAsync());
beforeEach(async () => {
  before = await world.victimState();
  expect(before).toContain(SECRET);
});

/** The attacker's own OpenClaw goes last: without it nothing else would be tried. */
const LAST = new Set(["stopRuntime", "deleteInstance"]);
const routes = () => world.api.routes.toSorted((a, b) => Number(LAST.has(a.operation)) - Number(LAST.has(b.operation)));

/** The paths of a route with each of the victim's ids in the places of its parameters. */
function pathsOf({ path }: Route): string[] {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
  return names.reduce<string[]>(
    (paths, name) => {
      const ids = world.victimIds[name];
      if (!ids) throw new Error(`${path}: no id of the victim's for :${name}`);
      return paths.flatMap((text) => ids.map((id) => text.replace(`:${name}`, encodeURIComponent(id))));
    },
    [path],
  );
}

async function attack(route: Route, headers: Record<string, string | string[]>, query = ""): Promise<string[]> {
  const body =
    "body" in route || "lateBody" in route
      ? BODIES[route.operation]?.(world.victimIds.approvalId?.[0] ?? "")
      : undefined;
  const found: string[] = [];
  for (const path of pathsOf(route)) {
    if (path.endsWith("/watch")) continue; // never ends; its first event is looked at below
    const answer = await call(world.api.url, {
      method: route.method,
      path: path + query,
      user: null,
      headers,
      ...(body === undefined ? {} : { body }),
    }).catch((error: Error) => ({ status: 0, text: error.message }));
    if (answer.text.includes(SECRET)) found.push(`${route.method} ${path} told: ${answer.text.slice(0, 200)}`);
    if (answer.status >= 500 && answer.status !== 501)
      found.push(`${route.method} ${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
  }
  return found;
}

/** The world as it has to be after whatever was tried. */
async function expectUntouched(found: readonly string[]): Promise<void> {
  expect(found).toEqual([]);
  expect(world.victimGateway.calls).toBe(0);
  expect(await world.victimState()).toBe(before);
}

it("there is a body for each operation that takes one", () => {
  const takers = world.api.routes.filter((route) => route.lateBody || (route.body && !route.bodyIsOptional));
  expect(takers.map(({ operation }) => operation).filter((operation) => !BODIES[operation])).toEqual([]);
});

it("the victim sees what nobody else may", async () => {
  const seen = await call(world.api.url, { path: "/api/threads", user: "victim" });
  expect(seen.text).toContain(SECRET);
});

describe.each([
  "internal key",
  "OIDC token",
  "API token as x-api-key",
  "API token as bearer",
  "agent key",
  "agent key as authorization",
])("with an %s of their own, nobody gets at another tenant", (kind) => {
  const credential = () => world.credentials.get(kind) ?? {};

  it("by ids, on any route", async () => {
    const found: string[] = [];
    for (const route of routes()) found.push(...(await attack(route, credential())));
    await expectUntouched(found);
  });

  it("by headers, on any route", async () => {
    const found: string[] = [];
    for (const route of routes()) {
      for (const headers of disguises(credential()))
        found.push(...(await attack(route, { ...credential(), ...headers })));
    }
    await expectUntouched(found);
  });

  it("by parameters nobody asked for, on any route", async () => {
    const query =
      "?user_id=victim&tenant=human:victim&tenant_key=human:victim&instance=victim&agent_id=victim&oa_internal_key=x";
    const found: string[] = [];
    for (const route of routes()) found.push(...(await attack(route, credential(), query)));
    await expectUntouched(found);
  });

  it.each(PATH_TRICKS)("by asking for %s", async (path) => {
    const found: string[] = [];
    for (const method of ["GET", "POST", "DELETE"]) {
      const { status, text } = await call(world.api.url, { method, path, user: null, headers: { ...credential() } });
      if (text.includes(SECRET) || status >= 500) found.push(`${method} ${path}: ${status} ${text.slice(0, 200)}`);
    }
    await expectUntouched(found);
  });
});

it("without any credential nothing is told at all", async () => {
  const found: string[] = [];
  for (const route of routes()) {
    for (const headers of disguises({})) found.push(...(await attack(route, headers)));
  }
  await expectUntouched(found);
});
