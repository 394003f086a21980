import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiUnderTest, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";

/** Where callers of the original system find what it offered to users. */
const ORIGINAL = [
  "GET /api/openclaw",
  "GET /api/openclaw/instance",
  "POST /api/openclaw/instance",
  "DELETE /api/openclaw/instance",
  "GET /api/openclaw/principal",
  "GET /api/openclaw/runtime/status",
  "GET /api/openclaw/runtime/devices",
  "POST /api/openclaw/runtime/devices/:requestId/approve",
  "GET /api/openclaw/runtime/pairing/:channel",
  "POST /api/openclaw/runtime/pairing/:channel/approve",
  "POST /api/openclaw/runtime/backup",
  "POST /api/openclaw/runtime/restart",
  "POST /api/openclaw/tools/invoke",
  "GET /api/openclaw/sessions",
  "GET /api/openclaw/sessions/:key/history",
  "POST /api/openclaw/sessions/:key/send",
  "POST /api/openclaw/chat",
  "GET /api/openclaw/billing/summary",
];

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

describe("the routes", () => {
  it("are those of the original system, and more", () => {
    expect(api.routes.map(({ method, path }) => `${method} ${path}`)).toEqual(expect.arrayContaining(ORIGINAL));
  });

  it("have one owner each: no two routes, and no two operations of one name", () => {
    const places = api.routes.map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, ":")}`);
    expect(places.filter((place, at) => places.indexOf(place) !== at)).toEqual([]);
    const operations = api.routes.map(({ operation }) => operation);
    expect(operations.filter((operation, at) => operations.indexOf(operation) !== at)).toEqual([]);
  });

  it("each lead to something: none is listed that the router does not know", async () => {
    const dangling: string[] = [];
    for (const { method, path } of api.routes) {
      const { status, text } = await call(api.url, { method, path: path.replaceAll(/:\w+/g, "x"), user: "root" });
      if (status === 405 || text.includes('"code":"not_found"')) dangling.push(`${method} ${path}: ${status} ${text}`);
    }
    expect(dangling).toEqual([]);
  });

  it("are all told of by GET /api/openclaw", async () => {
    const { json } = await call(api.url, { path: "/api/openclaw", user: null });
    const told = new Set(Object.values((json as { data: Record<string, string> }).data));
    const others = api.routes.filter(({ operation }) => operation !== "listOperations");
    expect(others.filter(({ path }) => !told.has(path)).map(({ path }) => path)).toEqual([]);
  });
});
