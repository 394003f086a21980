import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Dispatcher } from "undici";
import { expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { eventually } from "../testing/eventually.ts";
import { Relay, type RelayOptions } from "./relay.ts";

/** What a relay asks of the gateway. */
function createController() {
  let paused = false;
  return {
    aborted: false,
    reason: null,
    get paused() {
      return paused;
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
    },
    abort: vi.fn(),
  } satisfies Dispatcher.DispatchController;
}

/** A relay to a client that reads nothing before it is asked to. */
async function startRelay(options: Partial<RelayOptions> = {}) {
  const response = Promise.withResolvers<ServerResponse>();
  const server = createServer((_req, res) => response.resolve(res)).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  const client = get({ port, host: "127.0.0.1", agent: false });
  const answer = new Promise<IncomingMessage>((resolve) => client.once("response", resolve));
  client.on("error", () => undefined);
  const res = await response.promise;
  const relay = new Relay(res, {
    clock: systemClock,
    onSent: () => undefined,
    onBytes: () => undefined,
    onHead: () => "relay",
    ...options,
  });
  const controller = createController();
  relay.onRequestStart(controller);
  return { res, relay, controller, answer };
}

it("takes no more from the gateway than the client reads", async () => {
  const onBytes = vi.fn();
  const { relay, controller, answer } = await startRelay({ onBytes });
  relay.onResponseStart(controller, 200, {});
  const chunk = Buffer.alloc(64 * 1024, "x");
  let written = 0;
  // Nobody reads yet, so sooner or later the relay asks for a pause that stays.
  while (!controller.paused) {
    relay.onResponseData(controller, chunk);
    written += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const reading = text(await answer);
  await eventually(() => controller.paused).toBe(false);
  relay.onResponseEnd();
  await relay.done;
  expect((await reading).length).toBe(written * chunk.length);
  expect(onBytes.mock.calls).toEqual(Array(written).fill([chunk.length]));
});

it("aborts the gateway's work and settles when a client leaves that it waits for", async () => {
  const { relay, controller, answer } = await startRelay();
  relay.onResponseStart(controller, 200, {});
  // More than all buffers on the way hold.
  relay.onResponseData(controller, Buffer.alloc(64 * 1024 * 1024, "x"));
  relay.onResponseData(controller, Buffer.from("and more"));
  expect(controller.paused).toBe(true);
  (await answer).destroy();
  await expect(relay.done).rejects.toThrow("the client left");
  expect(controller.abort).toHaveBeenCalledOnce();
});

it("asks the gateway for nothing when the client left before the call could begin", async () => {
  const { res, relay } = await startRelay();
  res.destroy();
  await expect(relay.done).rejects.toThrow("the client left");
  const late = createController();
  relay.onRequestStart(late);
  expect(late.abort).toHaveBeenCalledOnce();
});

it("sends a first piece together with the head and the end, where they are here already", async () => {
  const { res, relay, controller, answer } = await startRelay();
  const write = vi.spyOn(res, "write");
  relay.onResponseStart(controller, 200, {});
  relay.onResponseData(controller, Buffer.from("all"));
  relay.onResponseEnd();
  await relay.done;
  expect(write).not.toHaveBeenCalled();
  expect(await text(await answer)).toBe("all");
});

it("lets no head wait for a first piece, and no piece for another", async () => {
  const { relay, controller, answer } = await startRelay();
  relay.onResponseStart(controller, 200, {});
  const { socket } = await answer;
  relay.onResponseData(controller, Buffer.from("one"));
  expect(String(await new Promise((resolve) => socket.once("data", resolve)))).toContain("one");
  relay.onResponseEnd();
  await relay.done;
});

it("keeps what is not for the client", async () => {
  const { res, relay, controller } = await startRelay({ onHead: () => "read" });
  relay.onResponseStart(controller, 500, {});
  for (const piece of ["to", "o bad"]) relay.onResponseData(controller, Buffer.from(piece));
  relay.onResponseEnd();
  await relay.done;
  expect([relay.text, res.headersSent]).toEqual(["too bad", false]);
  res.end();
});
