import { afterEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type ApiUnderTest, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";
import { PUBLIC_BODY_BYTES } from "./body.ts";
import { publicRoute } from "./route.ts";

const PATH = "/api/limited";
const limited = publicRoute({
  method: "POST",
  path: PATH,
  operation: "limited",
  tag: "about",
  summary: "Counts.",
  limitedByAddress: true,
  body: z.object({ text: z.string() }),
  result: z.null(),
  errors: ["rate_limited"],
  answer: async () => null,
});

let api: ApiUnderTest;
afterEach(() => api[Symbol.asyncDispose]());
const start = async (trustedProxies: string[], clock = new ManualClock()) => {
  api = await startApi({ clock, trustedProxies, addressBurst: 2, routes: [limited] });
};
const ask = async (headers: Record<string, string | string[]> = {}, body: unknown = { text: "x" }) =>
  (await call(api.url, { method: "POST", path: PATH, user: null, headers, body })).status;

describe("calls without a credential", () => {
  it("are counted by address, before their body is looked at", async () => {
    const clock = new ManualClock();
    await start([], clock);
    expect([await ask(), await ask({}, "{")]).toEqual([200, 400]);
    const refused = await call(api.url, { method: "POST", path: PATH, user: null, body: "{" });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "60"]);
    expect(refused.json).toMatchObject({ code: "rate_limited" });
    await clock.advance(60_000);
    expect(await ask()).toBe(200);
  });

  it("are no other address' for what the client says of itself", async () => {
    await start([]);
    const lies = { "x-forwarded-for": "203.0.113.1", forwarded: "for=203.0.113.1", "x-real-ip": "203.0.113.1" };
    expect([await ask(lies), await ask({ "x-forwarded-for": "203.0.113.2" }), await ask()]).toEqual([200, 200, 429]);
  });

  it("are the client's that a trusted proxy tells of, whatever the client said before", async () => {
    await start(["127.0.0.0/8", "192.0.2.1"]);
    const from = (list: string | string[]) => ask({ "x-forwarded-for": list });
    expect([await from("203.0.113.1"), await from("203.0.113.1"), await from("203.0.113.1")]).toEqual([200, 200, 429]);
    expect(await from("203.0.113.2")).toBe(200);
    expect(await from(["198.51.100.9", "203.0.113.1"])).toBe(429);
    expect(await from("198.51.100.9, 203.0.113.1, 192.0.2.1")).toBe(429);
    expect(await from("203.0.113.1, 198.51.100.9")).toBe(200);
    expect([await from("2001:db8::1"), await from("2001:db8::2"), await from("2001:db8:0:0:9::3")]).toEqual([
      200, 200, 429,
    ]);
  });

  it("have small bodies", async () => {
    await start([]);
    expect(await ask({}, { text: "x".repeat(PUBLIC_BODY_BYTES) })).toBe(413);
  });
});
