import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createApiServer } from "./server.ts";
import { GATEWAY_TOKEN, startApi } from "./testing/api-under-test.ts";
import { call, open } from "./testing/client.ts";
import { beginEvents, startScriptedGateway } from "./testing/scripted-gateway.ts";

const CHAT = { path: "/api/openclaw/chat", body: { input: "x" } };

async function startStream(clock?: ManualClock) {
  const api = await startApi(clock ? { clock } : {});
  const upstream = Promise.withResolvers<ServerResponse>();
  const gateway = await startScriptedGateway((_req, res) => {
    beginEvents(res);
    upstream.resolve(res);
  });
  api.gateways.set("human:alice", { origin: gateway.origin, token: GATEWAY_TOKEN });
  onTestFinished(async () => {
    await api[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });
  const answer = await open(api.url, CHAT);
  return { api, answer, upstream: await upstream.promise };
}

it("lets open streams end in their own time and takes nothing new", async () => {
  const { api, answer, upstream } = await startStream();
  const drained = api.server.drain(600_000);
  await expect(call(api.url, { path: "/api/openclaw" })).rejects.toThrow("ECONNREFUSED");
  upstream.end("data: [DONE]\n\n");
  expect(await answer.next()).toBe("data: [DONE]\n\n");
  expect(await answer.next()).toBeUndefined();
  await drained;
});

it("cuts what is left after the grace, visibly", async () => {
  const clock = new ManualClock();
  const { api, answer, upstream } = await startStream(clock);
  upstream.write("data: one\n\n");
  expect(await answer.next()).toBe("data: one\n\n");
  const drained = api.server.drain(10_000);
  await clock.advance(10_000);
  await expect(answer.next()).rejects.toThrow("aborted");
  await drained;
});

it("does not wait for idle connections", async () => {
  const { api, answer, upstream } = await startStream();
  const idle = connect(api.port, "127.0.0.1");
  idle.write("GET /api/openclaw HTTP/1.1\r\nhost: x\r\n\r\n");
  await new Promise((resolve) => idle.once("data", resolve));
  const closed = new Promise((resolve) => idle.once("close", resolve));
  const drained = api.server.drain(600_000);
  await closed;
  upstream.end();
  await answer.next();
  await drained;
});

it("says which port it can't have", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void taken.close());
  await new Promise((resolve) => taken.once("listening", resolve));
  const { port } = taken.address() as AddressInfo;
  const server = createApiServer(() => undefined, { port, host: "127.0.0.1", clock: new ManualClock() });
  await expect(server.listen()).rejects.toThrow(`port ${port}`);
});
