/** What the proxy does with a request instead of passing it on in peace. */
export type Fault =
  /** Cuts the connection before an answer; the apiserver never hears of the request. */
  | { kind: "reset" }
  /** Passes the request on and cuts the connection before the answer: the apiserver acted, the client cannot know. */
  | { kind: "lose-answer" }
  /** Answers by itself. `body` defaults to a Status with that code and reason. */
  | { kind: "answer"; status: number; reason?: string; headers?: Record<string, string>; body?: string }
  /** Never answers. */
  | { kind: "silence" }
  /** Begins a watch and sends an ERROR event in it. */
  | { kind: "error-event"; code: number; reason: string }
  /** Sends these bytes as the (whole) body of a watch, then ends it in good order. */
  | { kind: "script"; chunks: (string | Uint8Array)[] }
  /** Passes the request on, and cuts the connection in the middle of the answer's `line`-th line (from 1). */
  | { kind: "cut"; line: number };

/** A request as the proxy saw it. */
export interface SeenRequest {
  method: string;
  /** Path and query. */
  path: string;
  isWatch: boolean;
  headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A fault in place, and how often it was hit. */
export interface Injection {
  readonly hits: number;
  /** Resolves once the fault was hit `count` times in all (default 1). */
  hit(count?: number): Promise<void>;
  /** Takes the fault away. */
  remove(): void;
}

/** Which requests a fault is for: all by default, without end by default. */
export interface InjectOptions {
  match?: ((request: SeenRequest) => boolean) | undefined;
  times?: number | undefined;
}

/** The faults in place. The first that fits a request is taken. */
export interface FaultPlan {
  inject(fault: Fault, o?: InjectOptions): Injection;
  take(request: SeenRequest): Fault | undefined;
  /** Takes all faults away. */
  clear(): void;
}

/** No faults yet. */
export function createFaultPlan(): FaultPlan {
  const active = new Set<{ fault: Fault; fits: (request: SeenRequest) => boolean; count: () => void }>();
  return {
    inject(fault, { match = () => true, times = Number.POSITIVE_INFINITY } = {}) {
      let hits = 0;
      let waiting: { count: number; resolve: () => void }[] = [];
      const entry = {
        fault,
        fits: match,
        count() {
          hits += 1;
          if (hits >= times) active.delete(entry);
          for (const waiter of waiting) if (hits >= waiter.count) waiter.resolve();
          waiting = waiting.filter((waiter) => hits < waiter.count);
        },
      };
      active.add(entry);
      return {
        get hits() {
          return hits;
        },
        hit: (count = 1) =>
          hits >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
        remove: () => active.delete(entry),
      };
    },
    clear: () => active.clear(),
    take(request) {
      for (const entry of active) {
        if (!entry.fits(request)) continue;
        entry.count();
        return entry.fault;
      }
      return undefined;
    },
  };
}
