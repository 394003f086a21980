import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import * as z from "zod";
import { ApiError, GatewayAnswerError } from "../errors.ts";
import { type ApiUnderTest, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";
import type { Drift } from "./drift.ts";
import { type Route, streamRoute, tenantRoute } from "./route.ts";

const base = { method: "GET", tag: "about", summary: "", access: "tenant", scope: "openclaw:read" } as const;

/** A route at `/api/<name>` whose result is `{count: <whole number>}`. */
function answering(name: string, answer: () => unknown, more: Partial<Route> = {}): Route {
  const result = z.strictObject({ count: z.int() });
  const route = { ...base, path: `/api/${name}`, operation: name, result, errors: ["conflict"], ...more } as const;
  return tenantRoute({ ...route, answer: async () => answer() } as Parameters<typeof tenantRoute>[0]);
}

const throwing = (error: Error) => () => {
  throw error;
};
const refusal = new GatewayAnswerError(418, "teapot", "I am a teapot");

const drifts: Drift[] = [];
let api: ApiUnderTest;

beforeAll(async () => {
  const routes = [
    answering("asDeclared", () => ({ count: 1 })),
    answering("wrongType", () => ({ count: "1" })),
    answering("oneTooMany", () => ({ count: 1, secret: "x" })),
    // On the wire it is a string.
    answering("date", () => ({ count: new Date(0) })),
    answering("nothing", () => undefined),
    answering("declaredError", throwing(new ApiError("conflict", "x"))),
    answering("derivedError", throwing(new ApiError("store_unavailable", "x"))),
    answering("otherError", throwing(new ApiError("thread_full", "x"))),
    answering("relayed", throwing(refusal), { relaysErrors: true }),
    answering("notRelayed", throwing(refusal)),
    streamRoute({
      ...base,
      path: "/api/page",
      operation: "page",
      content: { "application/json": z.unknown() },
      errors: [],
      stream: async ({ res }) => void res.type("text/html").send("<p>"),
    }),
  ];
  api = await startApi({ routes, onDrift: (drift) => void drifts.push(drift) });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => {
  drifts.length = 0;
});

it.each([
  ["asDeclared", 200, undefined],
  ["wrongType", 500, "wrongType answers data that it does not declare: count"],
  ["oneTooMany", 500, "oneTooMany answers data that it does not declare: "],
  ["date", 500, "date answers data that it does not declare: count"],
  ["nothing", 500, "nothing answers without data"],
  ["declaredError", 409, undefined],
  ["derivedError", 503, undefined],
  ["otherError", 409, "otherError answers 409 thread_full, which it does not declare"],
  ["relayed", 418, undefined],
  ["notRelayed", 418, "notRelayed answers 418 teapot, which it does not declare"],
  ["page", 200, "page answers 200 text/html, which it does not declare"],
])("tests are told whether an answer is as declared (%s)", async (name, status, told) => {
  expect((await call(api.url, { path: `/api/${name}` })).status).toBe(status);
  expect(drifts.map(({ message }) => message)).toEqual(told === undefined ? [] : [expect.stringContaining(told)]);
});
