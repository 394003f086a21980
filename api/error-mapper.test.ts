import { expect, it } from "vitest";
import * as z from "zod";
import { KubeError } from "#lib/kube/errors.ts";
import { faultOf } from "./error-mapper.ts";
import { ApiError, ERROR_STATUS, type ErrorCode, GatewayAnswerError } from "./errors.ts";

const nested = z.strictObject({ a: z.object({ b: z.array(z.number()) }), c: z.string() });
const kube = (status: number, reason = "Reason") => new KubeError("GET /apis/secret-path: no", { status, reason });

it.each<[string, unknown, object]>([
  [
    "ours",
    new ApiError("instance_failed", "why", { step: "pod" }),
    { status: 409, code: "instance_failed", message: "why", step: "pod" },
  ],
  ["with a wait", new ApiError("instance_moved", "m", { retryAfterSeconds: 2 }), { status: 503, retryAfterSeconds: 2 }],
  [
    "the gateway's",
    new GatewayAnswerError(418, "teapot", "short", 3),
    { status: 418, code: "teapot", message: "short", step: "gateway", retryAfterSeconds: 3 },
  ],
  ["a full quota or an admission's refusal", kube(403, "Forbidden"), { status: 403, code: "instance_forbidden" }],
  ["an object the apiserver does not take", kube(422, "Invalid"), { status: 409, code: "instance_rejected" }],
  ["a request the apiserver does not take", kube(400), { status: 409, code: "instance_rejected" }],
  [
    "a busy apiserver",
    new KubeError("GET /apis/secret-path: no", { status: 429, reason: "TooManyRequests", retryAfterMs: 17_000 }),
    { status: 429, code: "cluster_busy", retryAfterSeconds: 17 },
  ],
  ["a busy apiserver that says no time", kube(429), { status: 429, code: "cluster_busy", retryAfterSeconds: 5 }],
  ["a broken apiserver", kube(500), { status: 503, code: "cluster_unavailable", retryAfterSeconds: 5 }],
  ["an object that went meanwhile", kube(404, "NotFound"), { status: 409, code: "conflict" }],
  ["a credential of ours that the apiserver refuses", kube(401), { status: 500, code: "internal", unexpected: true }],
  ["no apiserver", kube(0), { status: 503, code: "cluster_unavailable" }],
  ["a lost race", kube(409, "Conflict"), { status: 409, code: "conflict" }],
  [
    "a path that can't be decoded",
    Object.assign(new URIError("Failed to decode param"), { status: 400 }),
    { status: 400 },
  ],
  [
    "anything else",
    new Error("password=hunter2 at /srv/x"),
    { status: 500, code: "internal", message: "internal error", unexpected: true },
  ],
  ["no error at all", "a string", { status: 500, message: "internal error", unexpected: true }],
  [
    "an error that claims a status of ours",
    Object.assign(new Error("text"), { status: 500 }),
    { status: 500, message: "internal error", unexpected: true },
  ],
])("%s", (_name, error, fault) => {
  expect(faultOf(error)).toMatchObject(fault);
  expect(faultOf(error).message).not.toMatch(/secret-path|hunter2/);
});

it("names the path of each wrong field", () => {
  const error = nested.safeParse({ a: { b: [1, "x"] }, d: 1 }).error;
  const { status, code, message } = faultOf(error);
  expect([status, code]).toEqual([400, "invalid_request"]);
  expect(message).toContain("a.b[1]: ");
  expect(message).toContain("c: ");
  expect(message).toContain('"d"');
});

it("has a status that fits for each code", () => {
  for (const [code, status] of Object.entries(ERROR_STATUS)) {
    expect(faultOf(new ApiError(code as ErrorCode, "x")).status).toBe(status);
    expect(status).toBeGreaterThanOrEqual(400);
  }
});
