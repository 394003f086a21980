import { once } from "node:events";
import type { Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { eventually } from "../testing/eventually.ts";
import { startSocketGateway } from "../testing/socket-gateway.ts";
import { connectFrame, handshake, refusalOf, startSocketPassage } from "../testing/socket-passage.ts";
import { CLOSE_CODE, OPCODE } from "./frame-header.ts";
import { encodeFrame } from "./frames.ts";

const TOKEN = "token-of-alices-slot";
const MINUTE_MS = 60_000;

/** A client whose connect request has reached its gateway, by a clock that stands still. */
async function converse() {
  const clock = new ManualClock();
  const api = await startSocketPassage({ clock });
  const gateway = await startSocketGateway(TOKEN);
  api.gateways.set("human:alice", { origin: gateway.origin, token: TOKEN });
  onTestFinished(async () => {
    await api[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });
  const client = handshake(api.port);
  await client.head();
  const upstream = await gateway.connection();
  client.socket.write(connectFrame());
  await upstream.frame();
  const open = () => api.registry.getSingleMetricAsString("hatchery_proxy_open_streams");
  return { api, clock, gateway, client, upstream, open };
}

describe("a replica that shuts down", () => {
  it("tells each client to come back, and lets nobody in any more", async () => {
    const { api, client, upstream, open, gateway } = await converse();
    const waiting = handshake(api.port);
    await waiting.head();
    api.draining.abort();
    for (const peer of [client, waiting]) {
      expect(await peer.closeCode()).toBe(CLOSE_CODE.serviceRestart);
      expect(await peer.rest()).toHaveLength(0);
      peer.socket.end();
    }
    await upstream.gone();
    await eventually(open).toContain('{kind="ws"} 0');
    const seen = gateway.seen.length;
    const answer = await refusalOf(handshake(api.port));
    expect([answer.status, answer.json]).toMatchObject([503, { code: "shutting_down" }]);
    expect(answer.head).toContain("\r\nretry-after: 1\r\n");
    expect(gateway.seen).toHaveLength(seen);
  });

  it("lets the frame on its way end first", async () => {
    const { api, client, upstream } = await converse();
    const frame = encodeFrame(OPCODE.binary, Buffer.alloc(1000, "x"));
    const next = encodeFrame(OPCODE.binary, Buffer.from("never seen"));
    upstream.socket.write(frame.subarray(0, 500));
    await client.bytes(500);
    api.draining.abort();
    upstream.socket.write(Buffer.concat([frame.subarray(500), next.subarray(0, 8)]));
    expect(Buffer.concat([frame.subarray(0, 500), await client.bytes(frame.length - 500)])).toEqual(frame);
    expect(await client.closeCode()).toBe(CLOSE_CODE.serviceRestart);
    expect(await client.rest()).toHaveLength(0);
  });

  it("cuts a frame that does not end in time", async () => {
    const { api, clock, client, upstream } = await converse();
    upstream.socket.write(encodeFrame(OPCODE.binary, Buffer.alloc(1000)).subarray(0, 500));
    await client.bytes(500);
    api.draining.abort();
    await clock.advance(5_000);
    expect(await client.rest()).toHaveLength(0);
    await upstream.gone();
  });

  it("cuts a client that does not hang up in time", async () => {
    const { api, clock, client, open } = await converse();
    api.draining.abort();
    expect(await client.closeCode()).toBe(CLOSE_CODE.serviceRestart);
    await clock.advance(5_000);
    await eventually(open).toContain('{kind="ws"} 0');
  });

  it("does not answer a handshake that was under way as if nothing were", async () => {
    const { api, gateway } = await converse();
    const asked = Promise.withResolvers<() => void>();
    gateway.onRequest((_req, res) => asked.resolve(() => res.end("{}")));
    const late = handshake(api.port);
    const answer = await asked.promise;
    api.draining.abort();
    answer();
    expect(await refusalOf(late)).toMatchObject({ status: 503, json: { code: "shutting_down" } });
  });
});

describe("a connection's right to be there", () => {
  it("is looked at each minute, and its end is the connection's", async () => {
    const { api, clock, client, upstream } = await converse();
    await clock.advance(3 * MINUTE_MS);
    upstream.socket.write(encodeFrame(OPCODE.text, Buffer.from("still here")));
    expect((await client.frame()).payload.toString()).toBe("still here");
    api.access.refused.add("alice");
    await clock.advance(MINUTE_MS);
    expect(await client.closeCode()).toBe(CLOSE_CODE.policyViolation);
    await upstream.gone();
  });

  it("is not taken for ended when it cannot be told", async () => {
    const { api, clock, client, upstream } = await converse();
    api.access.isDown = true;
    await clock.advance(5 * MINUTE_MS);
    upstream.socket.write(encodeFrame(OPCODE.text, Buffer.from("still here")));
    expect((await client.frame()).payload.toString()).toBe("still here");
    api.access.isDown = false;
    api.access.refused.add("alice");
    await clock.advance(MINUTE_MS);
    expect(await client.closeCode()).toBe(CLOSE_CODE.policyViolation);
  });
});

describe("a gateway that is slow to answer", () => {
  it("is waited for up to 15 s", async () => {
    const { api, clock, gateway } = await converse();
    gateway.onRequest(() => undefined);
    const before = gateway.seen.length;
    const late = handshake(api.port);
    await eventually(() => gateway.seen.length).toBeGreaterThan(before);
    await clock.advance(15_000);
    expect(await refusalOf(late)).toMatchObject({ status: 504, json: { code: "gateway_timeout" } });
  });

  it("is left when the client leaves, and its place is free again", async () => {
    const { api, gateway } = await converse();
    const asked = Promise.withResolvers<Socket>();
    gateway.onRequest((req) => asked.resolve(req.socket));
    const late = handshake(api.port);
    const socket = await asked.promise;
    late.socket.resetAndDestroy();
    await once(socket, "close");
    const count = () => api.registry.getSingleMetricAsString("hatchery_api_requests_total");
    await eventually(count).toContain('code="499"} 1');
  });
});
