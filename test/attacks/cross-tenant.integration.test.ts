import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { Route } from "#api/http/route.ts";
import { type ClientRequest, call, open } from "#api/testing/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { BODIES } from "./bodies.ts";
import { disguises, PATH_TRICKS } from "./disguises.ts";
import { buildWorld, SECRET, type World } from "./world.ts";

const owned = new AsyncDisposableStack();
let world: World;
let before: string;
/** How often the attacker's own gateways were called before a test. */
let ownCalls: number;
beforeAll(async () => {
  world = owned.use(await buildWorld(loadKubeAccess(inject("kubeconfig")), inject("postgresPort")));
});
afterAll(() => owned.disposeAsync());
beforeEach(async () => {
  await world.restore();
  ownCalls = callsOfOwn();
  before = await world.victimState();
  expect(before).toContain(SECRET);
});

const callsOfOwn = () => world.ownGateways.reduce((sum, { calls }) => sum + calls, 0);
/** The attacker's own OpenClaw is deleted last: without it nothing else would be tried. */
const isLast = ({ operation }: Route) => Number(operation === "deleteInstance");
const routes = () => world.api.routes.toSorted((a, b) => isLast(a) - isLast(b));
/** Routes whose call reaches the caller's own gateway, where it ends well. */
const REACHING = 8;

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
    const request = {
      method: route.method,
      path: path + query,
      user: null,
      headers,
      ...(body === undefined ? {} : { body }),
    };
    const answer = await (path.endsWith("/watch") ? firstEvent(request) : call(world.api.url, request)).catch(
      (error: Error) => ({ status: 500, text: `no answer: ${error.message}` }),
    );
    if (answer.text.includes(SECRET)) found.push(`${route.method} ${path} told: ${answer.text.slice(0, 200)}`);
    if (answer.status >= 500 && answer.status !== 501)
      found.push(`${route.method} ${path}: ${answer.status} ${answer.text.slice(0, 200)}`);
  }
  return found;
}

/** What comes of a stream that never ends by itself. */
async function firstEvent(request: ClientRequest): Promise<{ status: number; text: string }> {
  const answer = await open(world.api.url, request);
  const text = (await answer.next()) ?? "";
  answer.leave();
  return { status: answer.status, text };
}

/** The world as it has to be after whatever was tried; `atLeast` so many calls have to have come as far as the attacker's own gateway. */
async function expectUntouched(found: readonly string[], atLeast = 0): Promise<void> {
  expect(callsOfOwn() - ownCalls).toBeGreaterThanOrEqual(atLeast);
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
    await expectUntouched(found, REACHING);
  });

  it("by headers, on any route", async () => {
    const found: string[] = [];
    for (const route of routes()) {
      for (const headers of disguises(credential()))
        found.push(...(await attack(route, { ...credential(), ...headers })));
    }
    await expectUntouched(found, 2 * REACHING);
  });

  it("by parameters nobody asked for, on any route", async () => {
    const query =
      "?user_id=victim&tenant=human:victim&tenant_key=human:victim&instance=victim&agent_id=victim&oa_internal_key=x";
    const found: string[] = [];
    for (const route of routes()) found.push(...(await attack(route, credential(), query)));
    await expectUntouched(found, REACHING);
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
