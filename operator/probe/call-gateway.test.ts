import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createGatewayCall } from "./call-gateway.ts";

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function callServer(listener: RequestListener, signal = new AbortController().signal) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { call, close } = createGatewayCall();
  cleanups.push(close, async () => {
    server.closeAllConnections();
    const closed = once(server, "close");
    server.close();
    await closed;
  });
  return call({ id: "run", url: `http://127.0.0.1:${port}`, token: () => "the-token" }, signal);
}

describe("an authenticated call of a gateway", () => {
  it.each(["/hatchery/health", "/v1/models"])("asks for %s with the slot's token", async (route) => {
    const verdict = await callServer((request, response) => {
      const asIt = request.url === route && request.headers.authorization === "Bearer the-token";
      response.writeHead(asIt ? 200 : 404).end("{}");
    });
    expect(verdict).toEqual({ reachable: true });
  });

  it.each([true, false])("hears whether the volume is full: %s", async (full) => {
    const volume = { full, sizeBytes: 300 * 2 ** 20, availableBytes: 2 ** 19 };
    const verdict = await callServer((_, response) => void response.end(JSON.stringify({ ok: true, volume })));
    if (!full) expect(verdict).toEqual({ reachable: true });
    else expect(verdict).toMatchObject({ reachable: false, reason: "StorageFull" });
    if (full) expect(JSON.stringify(verdict)).toContain("300 MiB of 300 MiB are used");
  });

  it("lets go of an answer without end", async () => {
    const closed = Promise.withResolvers<void>();
    const verdict = await callServer((request, response) => {
      request.socket.on("close", () => closed.resolve());
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384)));
      };
      response.on("drain", more);
      more();
    });
    expect(verdict).toEqual({ reachable: true });
    await closed.promise;
  });

  it.each([
    [401, "GatewayUnauthorized"],
    [403, "GatewayUnauthorized"],
    [500, "GatewayError"],
    [404, "GatewayError"],
    [301, "GatewayError"],
  ])("takes %i for %s", async (status, reason) => {
    const verdict = await callServer((_, response) => void response.writeHead(status).end());
    expect(verdict).toMatchObject({ reachable: false, reason });
    expect(JSON.stringify(verdict)).not.toContain("the-token");
  });

  it("takes a connection that ends for silence", async () => {
    const verdict = await callServer((request) => void request.socket.destroy());
    expect(verdict).toMatchObject({ reachable: false, reason: "GatewaySilent" });
  });

  it("takes a port where nobody listens for silence", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const { call, close } = createGatewayCall();
    cleanups.push(close);
    const verdict = await call(
      { id: "run", url: `http://127.0.0.1:${port}`, token: () => "t" },
      new AbortController().signal,
    );
    expect(verdict).toMatchObject({
      reachable: false,
      reason: "GatewaySilent",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("gives up when nobody wants to know any more", async () => {
    const stop = new AbortController();
    const answer = callServer(() => stop.abort(new Error("not wanted")), stop.signal);
    await expect(answer).rejects.toThrow("not wanted");
  });
});
