import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Authenticator } from "../auth/authenticator.ts";
import { parseScopes, SCOPES } from "../auth/scopes.ts";
import { ApiError } from "../errors.ts";
import type { Route, StreamRoute, TenantRoute } from "../http/route.ts";
import { type ApiUnderTest, LET_IN, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";

/** What anybody may call; everything else needs a credential. */
const PUBLIC = ["GET /api/docs", "GET /api/openapi.json", "GET /api/openclaw", "POST /api/waitlist"];
/** What a credential alone is enough for. */
const SIGNED_IN = ["GET /api/access"];

type Guarded = TenantRoute | StreamRoute;

/** Says in headers of its own whose credential it is and what for. */
const testCredential: Authenticator = {
  scheme: "oidc",
  async authenticate(headers) {
    const [, kind, subject = ""] = /^(human|agent):(.+)$/.exec(headers["x-test-tenant"]?.[0] ?? "") ?? [];
    if (!kind) return undefined;
    const scopes = parseScopes(headers["x-test-scopes"]?.[0]?.split(" ") ?? []);
    return { scheme: "oidc", tenant: { kind: kind === "agent" ? "Agent" : "Human", subject }, scopes };
  },
};

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi({
    authenticators: [testCredential],
    access: {
      async check({ tenant: { subject } }) {
        if (subject === "stranger") throw new ApiError("access_denied", "access denied");
        return { ...LET_IN, isAdmin: subject === "admin" };
      },
      explain: async () => LET_IN,
    },
  });
});
afterAll(() => api[Symbol.asyncDispose]());

const nameOf = ({ method, path }: Route) => `${method} ${path}`;
const isGuarded = (route: Route): route is Guarded => route.access !== "public" && route.access !== "control";
const guarded = () => api.routes.filter(isGuarded);

async function ask({ method, path }: Route, tenant: string | null, scopes: readonly string[] = SCOPES) {
  const headers = tenant === null ? {} : { "x-test-tenant": tenant, "x-test-scopes": scopes.join(" ") };
  const { status, json } = await call(api.url, { method, path: path.replaceAll(/:\w+/g, "x"), user: null, headers });
  const { code, error } = json as { code?: string; error?: { code?: string } };
  return `${status} ${code ?? error?.code ?? ""}`;
}

/** What each route answered that did not answer as it should. */
async function others(
  routes: readonly Guarded[],
  answer: string,
  tenant: string | null,
  scopes?: (route: Guarded) => readonly string[],
) {
  const found: string[] = [];
  for (const route of routes) {
    const given = await ask(route, tenant, scopes?.(route));
    if (given !== answer) found.push(`${nameOf(route)}: ${given}`);
  }
  return found;
}

describe("the table of routes", () => {
  it("leaves open what anybody may call, and nothing else", () => {
    expect(
      api.routes
        .filter(({ access }) => access === "public")
        .map(nameOf)
        .sort(),
    ).toEqual(PUBLIC);
    expect(
      guarded()
        .filter(({ access }) => access === "signed-in")
        .map(nameOf),
    ).toEqual(SIGNED_IN);
    expect(api.routes.filter(({ access }) => access === "control")).toEqual([]);
    expect(guarded().length).toBeGreaterThan(20);
  });

  it("asks for a scope wherever somebody has to be let in, and for admins' where it is theirs", () => {
    for (const route of guarded()) {
      if (route.access === "signed-in") expect([nameOf(route), route.scope]).toEqual([nameOf(route), null]);
      else expect(SCOPES, nameOf(route)).toContain(route.scope);
      const isAdmins = route.path.startsWith("/api/admin/");
      expect([nameOf(route), route.access === "admin", route.scope === "admin"]).toEqual([
        nameOf(route),
        isAdmins,
        isAdmins,
      ]);
    }
  });

  it("lets a chat alone go on with what is remembered, and nothing change", () => {
    const remembered = guarded().filter((route) => route.mayBeRemembered);
    expect(remembered.length).toBeGreaterThan(0);
    for (const route of remembered) expect([nameOf(route), route.scope]).toEqual([nameOf(route), "openclaw:chat"]);
    for (const route of guarded().filter(({ method }) => method !== "GET")) {
      expect([nameOf(route), route.scope]).not.toEqual([nameOf(route), "openclaw:read"]);
    }
  });

  it("never has an agent make credentials", () => {
    const makers = guarded().filter(({ path }) => /^\/api\/(tokens|agents)/.test(path));
    expect(makers).toHaveLength(8);
    for (const route of makers) expect([nameOf(route), route.humansOnly]).toEqual([nameOf(route), true]);
  });
});

describe("every guarded route", () => {
  it("answers 401 without a credential", async () => {
    expect(await others(guarded(), "401 unauthorized", null)).toEqual([]);
  });

  it("answers 403 to a credential that lacks its scope, whatever others it has", async () => {
    const scoped = guarded().filter(({ scope }) => scope !== null);
    const butIts = ({ scope }: Guarded) => SCOPES.filter((other) => other !== scope);
    expect(await others(scoped, "403 insufficient_scope", "human:admin", butIts)).toEqual([]);
  });

  it("answers 403 to somebody who is not let in", async () => {
    const gated = guarded().filter(({ access }) => access !== "signed-in");
    expect(await others(gated, "403 access_denied", "human:stranger")).toEqual([]);
  });

  it("answers 403 to who is no admin where it is theirs, and to agents where it is humans'", async () => {
    const admins = guarded().filter(({ access }) => access === "admin");
    expect(await others(admins, "403 admin_required", "human:alice")).toEqual([]);
    const humans = guarded().filter(({ humansOnly }) => humansOnly);
    expect(await others(humans, "403 humans_only", "agent:a")).toEqual([]);
  });

  it("is reached by whoever has what it asks for", async () => {
    for (const route of guarded()) expect(await ask(route, "human:admin"), nameOf(route)).not.toMatch(/^40[13] /);
  });
});
