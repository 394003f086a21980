import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { startFakeGateway } from "#test/harness/fake-gateway.ts";
import { createGatewaySuspension } from "./suspend-gateway.ts";

const cleanups: (() => Promise<unknown>)[] = [];
const signal = new AbortController().signal;

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function suspension() {
  const calls = createGatewaySuspension();
  cleanups.push(calls.close);
  return calls;
}

const target = (url: string, token = "the-token") => ({ id: "run", url, token: () => token });

describe("a suspension", () => {
  it("is busy until the gateway has nothing to do, and ends by its own id", async () => {
    const gateway = await startFakeGateway({ address: "127.0.0.41", port: 18_790, token: "the-token" });
    cleanups.push(() => gateway.close());
    const calls = suspension();
    const to = target("http://127.0.0.41:18790");
    gateway.busy = true;
    expect(await calls.suspend(to, signal)).toBe("Busy");
    gateway.busy = false;
    expect(await calls.suspend(to, signal)).toBe("Idle");
    expect(gateway.suspended).toBe(true);
    expect(await calls.resume(to, signal)).toBe(true);
    expect(gateway.suspended).toBe(false);
    expect(await calls.suspend(target("http://127.0.0.41:18790", "another's"), signal)).toBe("Deaf");
  });

  it("asks for one lease, whoever asks, that waits for work and not for terminals", async () => {
    const bodies: unknown[] = [];
    const url = await serve((request, response) => {
      void read(request).then((text) => {
        bodies.push(JSON.parse(text));
        response.end('{"ok":true,"payload":{"status":"draining","suspensionId":"s"}}');
      });
    });
    await suspension().suspend(target(url), signal);
    await suspension().suspend(target(url), signal);
    const params = { requestId: "hatchery-operator", terminalPolicy: "terminate", drain: true };
    expect(bodies).toEqual(Array(2).fill({ method: "gateway.suspend.prepare", params }));
  });

  it.each([
    [404, "", "Deaf"],
    [403, "", "Deaf"],
    [503, '{"ok":false,"error":{"code":"UNAVAILABLE"}}', undefined],
    [200, "<html>", undefined],
  ])("takes %i %s for %s", async (status, body, verdict) => {
    const url = await serve((_, response) => void response.writeHead(status).end(body));
    expect(await suspension().suspend(target(url), signal)).toBe(verdict);
  });

  it("has no answer from a connection that breaks, and no error", async () => {
    const url = await serve((request) => void request.socket.destroy());
    expect(await suspension().suspend(target(url), signal)).toBeUndefined();
    expect(await suspension().resume(target(url), signal)).toBe(false);
  });

  it("ends with its signal", async () => {
    const stop = new AbortController();
    const url = await serve(() => stop.abort());
    await expect(suspension().suspend(target(url), stop.signal)).rejects.toThrow();
  });
});

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
