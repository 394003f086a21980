import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { now } from "#test/bench/kit/alarm.ts";
import { readScenario, renderEvent } from "../scenario.ts";
import type { Target } from "./jobs.ts";
import { runReads } from "./reads.ts";
import { createStreams } from "./streams.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(answer: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<Target> {
  server = createServer((req, res) => void answer(req, res)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    readPath: "/read",
    turnPath: "/turn",
    headers: { "x-a": "b" },
    users: 2,
  };
}

describe("reads on a schedule", () => {
  it("are timed from when they were due, not from when a slow proxy let them be sent", async () => {
    const [delayMs, perSecond, seconds] = [20, 200, 0.2];
    const target = await serve(async (_, res) => {
      await pause(delayMs);
      res.end("ok");
    });
    const job = { kind: "reads", target, connections: 1, perSecond, seconds, seed: 1 } as const;
    const { ms, failures } = await runReads(job);
    expect(failures).toEqual([]);
    // One connection answers every 20 ms what is asked every 5: the last has waited for most of the others.
    const last = ms.at(-1) ?? 0;
    expect(last).toBeGreaterThan(ms.length * delayMs - seconds * 1000 - delayMs);
    expect(Math.min(...ms)).toBeGreaterThan(delayMs - 2);
  });

  it("come as each user by turns, with the target's headers", async () => {
    const seen = new Set<string>();
    const target = await serve((req, res) => {
      seen.add([req.headers["x-oa-user-id"], req.headers["x-a"], req.url].join(" "));
      res.end("ok");
    });
    await runReads({ kind: "reads", target, connections: 3, perSecond: 100, seconds: 0.1, seed: 1 });
    expect([...seen].sort()).toEqual(["user-0 b /read", "user-1 b /read"]);
  });

  it("tell of every answer that was none", async () => {
    let count = 0;
    const target = await serve((_, res) => {
      count += 1;
      res.writeHead(count > 1 ? 503 : 200).end("too bad");
    });
    const { ms, failures } = await runReads({
      kind: "reads",
      target,
      connections: 1,
      perSecond: 100,
      seconds: 0.1,
      seed: 1,
    });
    expect(ms.length).toBeGreaterThan(0);
    expect(failures).toEqual(Array.from(ms, () => "status 503 too bad"));
  });
});

describe("streams", () => {
  it("are timed event by event while they are watched, and short ones to their first event", async () => {
    const target = await serve(async (req, res) => {
      let body = "";
      for await (const chunk of req) body += chunk;
      if (req.url === "/read") return void res.end("ok");
      res.writeHead(200).flushHeaders();
      if (readScenario(body).kind === "once") return void res.end(renderEvent(now()));
      const timer = setInterval(() => res.write(renderEvent(now() - 7)), 5);
      res.once("close", () => clearInterval(timer));
    });
    const streams = createStreams();
    const opening = { kind: "open", target, perSecond: 1000, reads: true } as const;
    expect(await streams.open({ ...opening, scenario: { kind: "events", perSecond: 1 }, count: 3 })).toEqual([]);
    const { events, firstEvents } = await streams.watch({
      kind: "watch",
      target,
      seconds: 0.3,
      turnsPerSecond: 50,
      seed: 1,
    });
    await streams.close();
    expect([events.failures, firstEvents.failures]).toEqual([[], []]);
    expect(events.ms.length).toBeGreaterThan(3);
    expect(Math.min(...events.ms)).toBeGreaterThanOrEqual(7);
    expect(firstEvents.ms.length).toBeGreaterThan(3);
  });

  it("are told of when they cannot be opened, and when one breaks off", async () => {
    const target = await serve((req, res) => {
      if (req.url === "/read") return void res.end("ok");
      if (req.headers["x-oa-user-id"] === "user-1") return void res.writeHead(429).end("no");
      res.writeHead(200).flushHeaders();
      res.write(renderEvent(1));
      setTimeout(() => res.destroy(), 100);
    });
    const streams = createStreams();
    const opening = { kind: "open", target, perSecond: 1000, reads: true } as const;
    expect(await streams.open({ ...opening, scenario: { kind: "quiet" }, count: 2 })).toEqual(["status 429 no"]);
    const { events } = await streams.watch({ kind: "watch", target, seconds: 0.4, turnsPerSecond: 1, seed: 1 });
    await streams.close();
    expect(events.failures).toEqual([expect.stringContaining("Error")]);
  });
});
