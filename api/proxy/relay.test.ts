import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { relayTo } from "./relay.ts";

it("takes no more from the gateway than the client reads", async () => {
  const response = Promise.withResolvers<ServerResponse>();
  const server = createServer((_req, res) => response.resolve(res)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const answer = new Promise<IncomingMessage>((resolve) => {
    get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", agent: false }, resolve);
  });
  const res = await response.promise;
  let bytes = 0;
  const relay = relayTo(res, { clock: systemClock, isEventStream: true, onBytes: (count) => (bytes += count) });
  const chunk = Buffer.alloc(64 * 1024, "x");
  // Nobody reads yet, so sooner or later the relay asks for a pause.
  let written = 0;
  while (relay.write(chunk)) {
    written += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const drained = new Promise((resolve) => relay.once("drain", resolve));
  const reading = text(await answer);
  await drained;
  relay.end();
  expect((await reading).length).toBe((written + 1) * chunk.length);
  expect(bytes).toBe((written + 1) * chunk.length);
});

it("settles a write that waits for a client that leaves", async () => {
  const response = Promise.withResolvers<ServerResponse>();
  const server = createServer((_req, res) => response.resolve(res)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const answer = new Promise<IncomingMessage>((resolve) => {
    get({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", agent: false }, resolve);
  });
  const relay = relayTo(await response.promise, { clock: systemClock, isEventStream: false, onBytes: () => undefined });
  const failed = new Promise<Error>((resolve) => relay.once("error", resolve));
  // More than all buffers on the way hold.
  relay.write(Buffer.alloc(64 * 1024 * 1024, "x"));
  (await answer).destroy();
  expect((await failed).message).toBe("the client left");
});
