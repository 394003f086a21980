import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type ApiUnderTest, GATEWAY_TOKEN, startApi } from "../testing/api-under-test.ts";
import { call, open } from "../testing/client.ts";
import { beginEvents, type ScriptedGateway, startScriptedGateway } from "../testing/scripted-gateway.ts";
import { passUndiciTime } from "../testing/undici-timers.ts";
import { HEARTBEAT } from "./heartbeat.ts";
import { TURN_TIMEOUT_MS } from "./proxy.ts";

const CHAT = { path: "/api/openclaw/chat", body: { input: "hello", stream: true } };
const HOURS = 6;

let clock: ManualClock;
let api: ApiUnderTest;
let gateway: ScriptedGateway;

beforeEach(async () => {
  clock = new ManualClock();
  api = await startApi({ clock });
  gateway = await startScriptedGateway();
  api.gateways.set("human:alice", { origin: gateway.origin, token: GATEWAY_TOKEN });
});
afterEach(async () => {
  await api[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

async function pass(ms: number): Promise<void> {
  passUndiciTime(ms);
  await clock.advance(ms);
}

/** A turn that the gateway has begun to answer. */
async function begunTurn() {
  const response = Promise.withResolvers<ServerResponse>();
  gateway.on((_req, res) => {
    beginEvents(res);
    response.resolve(res);
  });
  const answer = await open(api.url, CHAT);
  return { answer, res: await response.promise };
}

/** The next piece that the gateway said. */
async function nextWord(answer: Awaited<ReturnType<typeof open>>): Promise<string | undefined> {
  for (;;) {
    const words = (await answer.next())?.replaceAll(HEARTBEAT, "");
    if (words !== "") return words;
  }
}

describe("a turn", () => {
  it("lasts for hours, as long as the gateway says something every ten minutes", async () => {
    const { answer, res } = await begunTurn();
    for (let word = 0; word < HOURS * 6; word++) {
      await pass(600_000);
      res.write(`data: ${word}\n\n`);
      expect(await nextWord(answer)).toBe(`data: ${word}\n\n`);
    }
    res.end("data: [DONE]\n\n");
    expect(await nextWord(answer)).toBe("data: [DONE]\n\n");
    expect(await nextWord(answer)).toBeUndefined();
  });

  it("is cut, visibly, once the gateway has said nothing for longer than OpenClaw may work", async () => {
    const { answer, res } = await begunTurn();
    res.write("data: one\n\n");
    expect(await nextWord(answer)).toBe("data: one\n\n");
    await pass(TURN_TIMEOUT_MS - 1_000);
    await pass(2_000);
    await expect(nextWord(answer)).rejects.toThrow("aborted");
  });

  it("that the gateway does not begin to answer is a 504, not a silence", async () => {
    const arrived = Promise.withResolvers<void>();
    gateway.on(() => arrived.resolve());
    const answer = call(api.url, CHAT);
    await arrived.promise;
    await pass(TURN_TIMEOUT_MS - 1_000);
    await pass(2_000);
    const { status, json } = await answer;
    expect([status, json]).toMatchObject([504, { code: "gateway_timeout" }]);
  });
});
