import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Clock } from "#lib/clock.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { eventually } from "../testing/eventually.ts";
import type { Peer } from "../testing/peer.ts";
import { startSocketGateway } from "../testing/socket-gateway.ts";
import { clientText, connectFrame, handshake, startSocketPassage } from "../testing/socket-passage.ts";
import { CLOSE_CODE, OPCODE } from "./frame-header.ts";
import { closeFrame, encodeFrame } from "./frames.ts";

const TOKEN = "token-of-alices-slot";
const CHALLENGE = { type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } };
const serverText = (text: string) => encodeFrame(OPCODE.text, Buffer.from(text));

/** A client and its gateway, each with one end in hand, after the two handshakes. */
async function connectBoth(o: { clock?: Clock; after?: Buffer } = {}) {
  const api = await startSocketPassage(o);
  const gateway = await startSocketGateway(TOKEN);
  api.gateways.set("human:alice", { origin: gateway.origin, token: TOKEN });
  onTestFinished(async () => {
    await api[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });
  const client = handshake(api.port, o.after ? { after: o.after } : {});
  await client.head();
  const upstream = await gateway.connection();
  return {
    api,
    gateway,
    client,
    upstream,
    open: () => api.registry.getSingleMetricAsString("hatchery_proxy_open_streams"),
  };
}

/** As {@link connectBoth}, and the client's connect request is through. */
async function converse(o: { clock?: Clock } = {}) {
  const both = await connectBoth(o);
  both.upstream.socket.write(serverText(JSON.stringify(CHALLENGE)));
  expect(await both.client.json()).toEqual(CHALLENGE);
  both.client.socket.write(connectFrame());
  expect(await both.upstream.json()).toMatchObject({ params: { auth: { password: TOKEN } } });
  return both;
}

describe("an opening", () => {
  it("is introduced once, masked anew, and what follows passes as it came", async () => {
    const later = Buffer.concat([clientText("one"), connectFrame({ token: "not looked at any more" })]);
    const { client, upstream } = await connectBoth({ after: Buffer.concat([connectFrame({ password: "x" }), later]) });
    const frame = await upstream.frame();
    expect(frame).toMatchObject({ opcode: OPCODE.text, isFinal: true, isMasked: true });
    expect(JSON.parse(frame.payload.toString("utf8"))).toEqual({
      type: "req",
      id: "1",
      method: "connect",
      params: { auth: { password: TOKEN } },
    });
    expect(await upstream.bytes(later.length)).toEqual(later);
    upstream.socket.write(serverText("hello"));
    expect((await client.frame()).payload.toString()).toBe("hello");
    expect(client.received.includes(TOKEN)).toBe(false);
  });

  it("may come byte by byte, with pings in between that are answered by the gateway", async () => {
    const { client, upstream } = await connectBoth();
    const ping = encodeFrame(OPCODE.ping, Buffer.from("?"), Buffer.of(9, 8, 7, 6));
    client.socket.write(ping);
    expect(await upstream.bytes(ping.length)).toEqual(ping);
    upstream.socket.write(encodeFrame(OPCODE.pong, Buffer.from("?")));
    expect(await client.frame()).toMatchObject({ opcode: OPCODE.pong });
    for (const byte of connectFrame()) {
      client.socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await upstream.json()).toMatchObject({ method: "connect" });
  });

  it("that brings a credential of ours to the pod is answered and closed, and the pod hears nothing", async () => {
    const { client, upstream } = await connectBoth();
    client.socket.write(connectFrame({ token: "oa_live_secret" }));
    expect(await client.json()).toMatchObject({
      id: "1",
      ok: false,
      error: { details: { code: "AUTH_TOKEN_MISMATCH" } },
    });
    expect(await client.closeCode()).toBe(CLOSE_CODE.policyViolation);
    await upstream.gone();
    expect(upstream.received).toHaveLength(0);
    expect(await client.rest()).toHaveLength(0);
  });

  it("that does not come is not waited for", async () => {
    const clock = new ManualClock();
    const { client, upstream } = await connectBoth({ clock });
    client.socket.write(connectFrame().subarray(0, -1));
    await clock.advance(11_999);
    upstream.socket.write(serverText("still there"));
    expect((await client.frame()).payload.toString()).toBe("still there");
    await clock.advance(1);
    expect(await client.closeCode()).toBe(CLOSE_CODE.policyViolation);
    client.socket.end();
    await upstream.gone();
    expect(upstream.received).toHaveLength(0);
  });
});

describe("a conversation", () => {
  it("changes no byte, either way, however they are cut", async () => {
    const { client, upstream, api } = await converse();
    const up = randomBytes(3_000_000);
    const down = encodeFrames(3_000_000);
    const sendAll = async (peer: Peer, bytes: Buffer) => {
      for (let at = 0; at < bytes.length; ) {
        const size = 1 + (bytes[at] ?? 0) * 300;
        if (!peer.socket.write(bytes.subarray(at, at + size))) await once(peer.socket, "drain");
        at += size;
      }
    };
    const [atGateway, atClient] = await Promise.all([
      upstream.bytes(up.length),
      client.bytes(down.length),
      sendAll(client, up),
      sendAll(upstream, down),
    ]);
    expect(sha(atGateway)).toBe(sha(up));
    expect(sha(atClient)).toBe(sha(down));
    const bytes = await api.registry.getSingleMetricAsString("hatchery_proxy_bytes_total");
    expect(Number(/dir="down"} (\d+)/.exec(bytes)?.[1])).toBe(client.received.length - headLength(client));
    expect(Number(/dir="up"} (\d+)/.exec(bytes)?.[1])).toBe(up.length + connectFrame().length);
  });

  it("goes at the pace of a slow reader: what it has not read stays with the gateway", async () => {
    const { upstream, api } = await converse();
    const total = 64 * 2 ** 20;
    const payload = Buffer.alloc(total);
    const head = Buffer.concat([Buffer.of(0x82, 127), Buffer.alloc(8)]);
    head.writeBigUInt64BE(BigInt(total), 2);
    upstream.socket.write(Buffer.concat([head, payload]));
    const passed = async () => {
      const text = await api.registry.getSingleMetricAsString("hatchery_proxy_bytes_total");
      return Number(/dir="down"} (\d+)/.exec(text)?.[1]);
    };
    await eventually(passed).toBeGreaterThan(100_000);
    let before = -1;
    // Nothing tells that nothing happens: it stands still when it did not move for a while.
    await expect
      .poll(
        async () => {
          const now = await passed();
          const stands = now === before;
          before = now;
          return stands;
        },
        { timeout: 50_000, interval: 500 },
      )
      .toBe(true);
    expect(before).toBeLessThan(total / 4);
  });

  it("ends for the client when the gateway ends it, to its last byte", async () => {
    const { client, upstream, open } = await converse();
    const last = Buffer.concat([encodeFrames(500_000), closeFrame(CLOSE_CODE.serviceRestart, "service restart")]);
    upstream.socket.end(last);
    expect(sha(await client.rest())).toBe(sha(last));
    client.socket.end();
    await eventually(open).toContain('{kind="ws"} 0');
  });

  it("ends for the gateway when the client leaves", async () => {
    const { client, upstream, open } = await converse();
    client.socket.end(clientText("last words"));
    expect((await upstream.frame()).payload.toString()).toBe("last words");
    await upstream.gone();
    await eventually(open).toContain('{kind="ws"} 0');
  });

  it("is cut for the gateway when the client's connection breaks", async () => {
    const { client, upstream, open } = await converse();
    client.socket.resetAndDestroy();
    await upstream.gone();
    await eventually(open).toContain('{kind="ws"} 0');
  });

  it("is cut for the client when the gateway's connection breaks, without a frame that would look like an end", async () => {
    const { client, upstream, open } = await converse();
    upstream.socket.resetAndDestroy();
    expect(await client.rest()).toHaveLength(0);
    await eventually(open).toContain('{kind="ws"} 0');
  });

  it("is over when one end is gone and the other does not hang up", async () => {
    const clock = new ManualClock();
    const { upstream, open } = await converse({ clock });
    upstream.socket.end(serverText("bye"));
    // The client reads nothing, so it does not see the end.
    await eventually(() => clock.pending).toBeGreaterThan(0);
    await eventually(async () => {
      await clock.advance(5_000);
      return open();
    }).toContain('{kind="ws"} 0');
  });
});

/** Whole frames of the gateway with random payloads of many sizes, about so many bytes. */
function encodeFrames(total: number): Buffer {
  const frames: Buffer[] = [];
  for (let size = 0; size < total; ) {
    const frame = encodeFrame(OPCODE.binary, randomBytes(randomBytes(2).readUInt16BE()));
    frames.push(frame);
    size += frame.length;
  }
  return Buffer.concat(frames);
}

function sha(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function headLength(client: Peer): number {
  return client.received.indexOf("\r\n\r\n") + 4;
}
