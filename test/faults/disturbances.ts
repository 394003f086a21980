import { setTimeout as pause } from "node:timers/promises";
import type { ElasticClock } from "#test/harness/elastic-clock.ts";
import type { Fault, InjectOptions, SeenRequest } from "#test/harness/fault-proxy/fault.ts";
import type { FaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { delayed, dropped, duplicated, reordered, type WatchShape } from "#test/harness/fault-proxy/watch-shape.ts";
import { seededRandom } from "#test/harness/seeded-random.ts";

/** Between an operator and its apiserver. */
export interface Between {
  readonly proxy: FaultProxy;
  readonly clock: ElasticClock;
}

/** What disturbs operators. */
export interface Disturbance {
  readonly name: string;
  /** How many operators are at work at the same time; 1 by default. */
  readonly operators?: number;
  /** Answers to writes get lost. */
  readonly losesAnswers?: boolean;
  /** Before there is something to do. */
  begin(between: Between): void;
  /** Once there is; `done` resolves when it is done. What ends by itself needs none. */
  end?(between: Between, done: Promise<unknown>): Promise<void> | void;
}

const HOUR_MS = 3_600_000;
/** How long an apiserver may say nothing at all. */
export const SILENCE_MS = 300_000;
/** Watches of one operator: one of each kind it keeps. */
const WATCHES = 8;

const isWatch = (request: SeenRequest) => request.isWatch;
const isWrite = ({ method }: SeenRequest) => method !== "GET";

const TOO_MANY: Fault = { kind: "answer", status: 429, reason: "TooManyRequests", headers: { "retry-after": "1" } };
const EXPIRED: Fault = { kind: "answer", status: 410, reason: "Expired" };
const EXPIRED_EVENT: Fault = { kind: "error-event", code: 410, reason: "Expired" };

/** Events change on their way. */
function shaped(name: string, shape: WatchShape): Disturbance {
  return {
    name,
    begin({ proxy }) {
      proxy.shapeWatches(shape);
      proxy.resetConnections();
    },
    async end({ proxy, clock }, done) {
      await skipUntil(clock, done);
      // What is still on its way is no part of the end.
      await quiet(proxy);
      proxy.shapeWatches(undefined);
    },
  };
}

/** Nothing new is heard of one kind until the operator has done all it can without. */
function stale(plural: string): Disturbance {
  const match = ({ path }: SeenRequest) => path.includes(`/${plural}?`);
  const releases = new WeakMap<FaultProxy, () => void>();
  return {
    name: `an old copy of the ${plural}`,
    begin({ proxy }) {
      releases.set(proxy, proxy.holdWatches(match));
    },
    async end({ proxy }) {
      await quiet(proxy);
      releases.get(proxy)?.();
    },
  };
}

/** Resolves once nothing has been asked for a while, or after a longer one: nobody says when there is nothing more to ask. */
async function quiet(proxy: FaultProxy): Promise<void> {
  for (let looks = 0, seen = -1; looks < 10 && seen !== proxy.requests.length; looks++) {
    seen = proxy.requests.length;
    await pause(300);
  }
}

/** Requests meet a fault, so and so often; with `reset`, the connections that are open break first. */
function injected(name: string, fault: Fault, o: InjectOptions & { reset?: boolean }): Disturbance {
  return {
    name,
    losesAnswers: fault.kind === "lose-answer",
    begin({ proxy }) {
      proxy.inject(fault, o);
      if (o.reset) proxy.resetConnections();
    },
    end: ({ clock }, done) => skipUntil(clock, done),
  };
}

function jumping(name: string, jumpsMs: readonly [number, number]): Disturbance {
  return {
    name,
    begin({ clock }) {
      clock.jump(jumpsMs[0]);
    },
    end({ clock }) {
      clock.jump(jumpsMs[1]);
    },
  };
}

/** Nothing at all is heard of the apiserver, on no connection, until `wait` is over; `after` that comes what is left to do. */
export function silent(
  name: string,
  wait: (between: Between) => Promise<void>,
  after: (clock: ElasticClock, done: Promise<unknown>) => Promise<void>,
): Disturbance {
  return {
    name,
    losesAnswers: true,
    begin({ proxy }) {
      proxy.freezeConnections();
      proxy.inject({ kind: "silence" });
    },
    async end(between, done) {
      await wait(between);
      between.proxy.clearFaults();
      await after(between.clock, done);
    },
  };
}

/** All that an operator must get over. */
export const DISTURBANCES: readonly Disturbance[] = [
  shaped("events that come late", delayed(250, seededRandom(1))),
  shaped("events in another order", reordered(200, seededRandom(2))),
  shaped("events that come twice", duplicated),
  {
    // What is lost without a trace nobody can know of: the next list makes up for it.
    name: "events that are lost until the watches break",
    begin({ proxy }) {
      proxy.shapeWatches(dropped(0.4, seededRandom(3)));
      proxy.resetConnections();
    },
    async end({ proxy, clock }, done) {
      await quiet(proxy);
      proxy.shapeWatches(undefined);
      proxy.inject(EXPIRED, { match: isWatch, times: WATCHES });
      proxy.resetConnections();
      await skipUntil(clock, done);
    },
  },
  ...["pods", "openclawinstances", "persistentvolumeclaims", "secrets"].map(stale),
  injected("watches that are too old (410)", EXPIRED, { match: isWatch, times: 2 * WATCHES, reset: true }),
  injected("410 in the stream", EXPIRED_EVENT, { match: isWatch, times: 2 * WATCHES, reset: true }),
  injected("429 with Retry-After for writes", TOO_MANY, { match: isWrite, times: 3 }),
  injected("429 with Retry-After for everything", TOO_MANY, { times: 12, reset: true }),
  injected("writes that are reset before they are heard", { kind: "reset" }, { match: isWrite, times: 3 }),
  injected("answers to writes that get lost", { kind: "lose-answer" }, { match: isWrite, times: 3 }),
  {
    name: "connections that are reset again and again",
    losesAnswers: true,
    begin({ proxy }) {
      let left = 20;
      const timer = setInterval(() => {
        proxy.resetConnections();
        left -= 1;
        if (left === 0) clearInterval(timer);
      }, 100);
    },
    end: ({ clock }, done) => skipUntil(clock, done),
  },
  silent("an apiserver that is silent for five minutes", ({ clock }) => clock.skip(SILENCE_MS), skipUntil),
  { name: "a second leader", operators: 2, begin: () => undefined },
  jumping("a clock that is set forward and back", [HOUR_MS, -HOUR_MS]),
  jumping("a clock that is set back and forward", [-HOUR_MS, HOUR_MS]),
  jumping("a clock that is set back for good", [-HOUR_MS, 0]),
];

/** Lets time pass faster than it does until all is done: what waits for a time limit need not be waited for. */
async function skipUntil(clock: ElasticClock, done: Promise<unknown>): Promise<void> {
  let over = false;
  const noted = done.finally(() => {
    over = true;
  });
  while (!over) {
    await clock.skip(200);
    await Promise.race([noted, pause(20)]);
  }
}
