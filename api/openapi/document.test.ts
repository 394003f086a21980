import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { SCHEMES } from "../auth/identity.ts";
import type { ApiContext } from "../context.ts";
import { createControlRoutes } from "../control/index.ts";
import { publicRoute, type Route, streamRoute, tenantRoute } from "../http/route.ts";
import { createRoutes } from "../routes/index.ts";
import { type ApiUnderTest, startApi } from "../testing/api-under-test.ts";
import { call, open } from "../testing/client.ts";
import { openApiDocument } from "./document.ts";
import type { Operation } from "./types.ts";

const declared = { operation: "doIt", tag: "about", summary: "Does it.", errors: [] } as const;
const base = { ...declared, result: z.string(), answer: async () => "" } as const;
const tenant = { ...base, method: "POST", path: "/api/it/:id", access: "tenant", scope: "openclaw:read" } as const;
const documentOf = (...routes: Route[]) => openApiDocument({ routes, schemes: SCHEMES, version: "1" });

/** The one operation of a document of this route alone. */
function described(route: Route): Operation {
  const [path] = Object.values(documentOf(route).paths);
  const [operation] = Object.values(path ?? {});
  if (!operation) throw new Error("no operation");
  return operation;
}

const codesOf = ({ responses }: Operation) =>
  Object.fromEntries(
    Object.entries(responses).flatMap(([status, answer]) =>
      answer["x-error-codes"] ? [[status, answer["x-error-codes"]]] : [],
    ),
  );

describe("the document", () => {
  it.each([
    ["public", createRoutes({} as ApiContext)],
    ["internal", createControlRoutes({} as ApiContext)],
  ])("of the %s listener is a valid OpenAPI document, whose references lead somewhere", async (_name, routes) => {
    const document = documentOf(...routes);
    const validator = new Validator();
    expect(await validator.validate(JSON.parse(JSON.stringify(document)) as Record<string, unknown>)).toMatchObject({
      valid: true,
    });
    expect(validator.version).toBe("3.1");
    const text = JSON.stringify(document);
    for (const [, kind = "", name = ""] of text.matchAll(/"#\/components\/(\w+)\/(\w+)"/g)) {
      expect(document.components, `${kind}/${name}`).toHaveProperty([kind, name]);
    }
    expect(text).not.toContain('"#/$defs');
    expect(Object.values(document.paths).flatMap((path) => Object.keys(path))).toHaveLength(routes.length);
  });

  it("has no place for two operations of one name", () => {
    const route = publicRoute({ ...base, method: "GET", path: "/api/a" });
    expect(() => documentOf(route, { ...route, path: "/api/b" })).toThrow("two operations doIt");
  });

  it("names the operation whose schema JSON cannot say", () => {
    const route = publicRoute({ ...base, method: "GET", path: "/api/a", result: z.date() });
    expect(() => documentOf(route)).toThrow("DoItResult");
  });
});

describe("an operation", () => {
  it("wants a credential with the scope, of a kind that may do it", () => {
    const agents = tenantRoute({ ...tenant });
    const all = [
      { internalKey: ["openclaw:read"], userId: [] },
      { oidc: ["openclaw:read"] },
      { apiToken: ["openclaw:read"] },
      { apiTokenHeader: ["openclaw:read"] },
    ];
    expect(described(agents).security).toEqual([...all, { agentKey: ["openclaw:read"] }]);
    expect(described({ ...agents, humansOnly: true }).security).toEqual(all);
    expect(described(publicRoute({ ...base, method: "GET", path: "/api/a" })).security).toEqual([]);
    const document = openApiDocument({ routes: [agents], schemes: ["agent-key"], version: "1" });
    expect(Object.keys(document.components.securitySchemes)).toEqual(["agentKey"]);
  });

  it("lists the errors that follow from who may call it and what it takes, beside its own", () => {
    const route = tenantRoute({ ...tenant, body: z.strictObject({}), errors: ["thread_not_found", "thread_full"] });
    const always = { 401: ["unauthorized"], 500: ["internal"], 503: ["issuer_unavailable", "store_unavailable"] };
    expect(codesOf(described(route))).toEqual({
      ...always,
      400: ["invalid_request", "missing_user_id"],
      403: ["access_denied", "insufficient_scope"],
      404: ["thread_not_found"],
      408: ["request_timeout"],
      409: ["thread_full"],
      413: ["payload_too_large"],
      429: ["rate_limited", "too_many_bytes"],
    });
    const { body: _body, ...bodiless } = route;
    const admin = { ...bodiless, access: "admin", humansOnly: true, errors: [] } as const;
    expect(codesOf(described(admin))).toEqual({
      ...always,
      400: ["invalid_request", "missing_user_id"],
      403: ["access_denied", "admin_required", "humans_only", "insufficient_scope"],
      429: ["rate_limited"],
    });
    expect(codesOf(described(publicRoute({ ...base, method: "GET", path: "/api/a" })))).toEqual({ 500: ["internal"] });
    const limited = publicRoute({
      ...base,
      method: "GET",
      path: "/api/a",
      limitedByAddress: true,
      query: z.object({}),
    });
    expect(codesOf(described(limited))).toEqual({ 400: ["invalid_request"], 429: ["rate_limited"], 500: ["internal"] });
  });

  it("says how the texts of its errors begin, but for those about the caller", () => {
    const { responses } = described(tenantRoute({ ...tenant, errors: ["instance_forbidden"] }));
    expect(responses[403]?.content?.["application/json"]?.schema).toEqual({
      allOf: [
        { $ref: "#/components/schemas/Error" },
        {
          anyOf: [
            { properties: { code: { enum: ["access_denied", "insufficient_scope"] } } },
            {
              properties: {
                code: { enum: ["instance_forbidden"] },
                error: { type: "string", pattern: "^openclaw doIt( [a-z_]+)?: " },
              },
            },
          ],
        },
      ],
    });
  });

  it("that passes the gateway's refusals on leaves their codes and statuses open", () => {
    const { responses } = described(tenantRoute({ ...tenant, relaysErrors: true, errors: ["gateway_error"] }));
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(["502", "4XX", "5XX"]));
    expect(responses[502]?.content?.["application/json"]?.schema).toEqual({ $ref: "#/components/schemas/Error" });
  });

  it("below /v1 has OpenAI's errors", () => {
    const route = streamRoute({
      ...declared,
      method: "POST",
      path: "/v1/it",
      access: "tenant",
      scope: "openclaw:read",
      content: { "application/json": z.unknown(), "text/event-stream": z.unknown() },
      stream: async () => undefined,
    });
    const { responses } = described(route);
    expect(Object.keys(responses[200]?.content ?? {})).toEqual(["application/json", "text/event-stream"]);
    expect(responses[401]?.content?.["application/json"]?.schema.allOf?.[0]).toEqual({
      $ref: "#/components/schemas/OpenAiError",
    });
  });

  it("that waits for a human takes an approval's id beside its own input, and answers 202", () => {
    const gated = { tool: "do_it", summarize: () => "Do it?" };
    const bare = described(tenantRoute({ ...tenant, gated }));
    expect(bare.requestBody).toMatchObject({
      required: false,
      content: { "application/json": { schema: { description: expect.stringContaining("approvalId") } } },
    });
    expect(bare.parameters).toContainEqual(expect.objectContaining({ name: "approvalId", in: "query" }));
    expect(codesOf(bare)).toMatchObject({
      410: ["approval_expired", "approval_used"],
      403: expect.arrayContaining(["approval_rejected"]),
    });
    expect(bare.responses[202]?.content?.["application/json"]?.schema.properties?.data?.properties).toHaveProperty(
      "toolInput",
    );
    const withBody = described(tenantRoute({ ...tenant, gated, body: z.strictObject({ code: z.string() }) }));
    expect(withBody.requestBody).toMatchObject({
      required: true,
      content: {
        "application/json": {
          schema: { properties: { code: {}, approvalId: {} }, required: ["code"], additionalProperties: false },
        },
      },
    });
  });

  it("says what it takes, and whether it has to be there", () => {
    const params = z.object({
      id: z
        .string()
        .regex(/^[a-z]+$/i)
        .describe("Which."),
    });
    const query = z.object({ limit: z.int().min(1).max(9).default(3), word: z.string().optional() });
    const route = tenantRoute({ ...tenant, params, query, body: z.strictObject({}), bodyIsOptional: true });
    const { parameters, requestBody } = described(route);
    expect(parameters.slice(0, 3)).toEqual([
      {
        name: "id",
        in: "path",
        required: true,
        description: "Which.",
        schema: { type: "string", pattern: "(?i:^[a-z]+$)" },
      },
      { name: "limit", in: "query", required: false, schema: { type: "integer", minimum: 1, maximum: 9, default: 3 } },
      { name: "word", in: "query", required: false, schema: { type: "string" } },
    ]);
    expect(documentOf(route).paths).toHaveProperty(["/api/it/{id}", "post"]);
    expect(requestBody?.required).toBe(false);
  });

  it("tells of the headers of OpenClaw's where they are read", () => {
    const names = (route: Route) =>
      described(route).parameters.map((one) => ("$ref" in one ? one.$ref.split("/").at(-1) : one.name));
    expect(names(tenantRoute({ ...tenant }))).toEqual(["RequestId"]);
    expect(names(tenantRoute({ ...tenant, openclawHeaders: true }))).toEqual([
      "RequestId",
      "OpenclawSessionKey",
      "OpenclawAgentId",
      "OpenclawMessageChannel",
      "OpenclawAccountId",
    ]);
  });

  it("shares what has a name, and what refers to itself", () => {
    const named = z.strictObject({ a: z.string() }).meta({ id: "Named" });
    const tree = z.strictObject({
      named,
      get kids() {
        return z.array(tree);
      },
    });
    const document = documentOf(tenantRoute({ ...tenant, result: tree, body: named }));
    expect(document.components.schemas).toMatchObject({
      Named: { required: ["a"] },
      NamedInput: { required: ["a"] },
      DoItResult: {
        properties: {
          named: { $ref: "#/components/schemas/Named" },
          kids: { items: { $ref: "#/components/schemas/DoItResult" } },
        },
      },
    });
  });
});

describe("a server", () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  it.each([
    ["/api/openapi.json", "application/json; charset=utf-8"],
    ["/api/docs", "text/html; charset=utf-8"],
  ])("answers %s to anybody, and 304 to who has it", async (path, type) => {
    const { status, headers, text } = await call(api.url, { path, user: null });
    expect([status, headers["content-type"], headers["cache-control"]]).toEqual([200, type, "public, no-cache"]);
    expect(headers.etag).toMatch(/^"[\w-]{27}"$/);
    expect(Buffer.byteLength(text)).toBe(Number(headers["content-length"]));
    const again = await call(api.url, { path, user: null, headers: { "if-none-match": String(headers.etag) } });
    expect([again.status, again.text, again.headers.etag]).toEqual([304, "", headers.etag]);
    const other = await call(api.url, { path, user: null, headers: { "if-none-match": '"other"' } });
    expect(other.status).toBe(200);
    const head = await call(api.url, { method: "HEAD", path, user: null });
    expect([head.status, head.text, head.headers["content-length"]]).toEqual([200, "", headers["content-length"]]);
    expect((await call(api.url, { method: "POST", path, user: null })).headers.allow).toBe("GET, HEAD");
  });

  it("sends them packed to who can unpack them", async () => {
    const path = "/api/openapi.json";
    const plain = await call(api.url, { path, user: null });
    const packed = await open(api.url, { path, user: null, headers: { "accept-encoding": "br;q=1, gzip;q=0.5" } });
    expect(packed.headers).toMatchObject({
      "content-encoding": "gzip",
      vary: expect.stringContaining("accept-encoding"),
    });
    expect(packed.headers.etag).not.toBe(plain.headers.etag);
    expect(gunzipSync(await buffer(packed.stream)).toString()).toBe(plain.text);
    for (const encoding of ["gzip;q=0", "identity", "br"]) {
      const { headers } = await call(api.url, { path, user: null, headers: { "accept-encoding": encoding } });
      expect(headers["content-encoding"], encoding).toBeUndefined();
    }
  });

  it("tells of all its routes, and of the kinds of credentials that it knows", async () => {
    const { json } = await call(api.url, { path: "/api/openapi.json", user: null });
    const { paths, components } = json as ReturnType<typeof openApiDocument>;
    const told = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`),
    );
    expect(told.toSorted()).toEqual(api.routes.map(({ method, path }) => `${method} ${path}`).toSorted());
    expect(Object.keys(components.securitySchemes)).toEqual(expect.arrayContaining(["internalKey", "userId"]));
  });
});
