import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { type Clock, sleep } from "#lib/clock.ts";
import type { Usage } from "./usage.ts";

/** How long a slot may be silent before its series are dropped; a counter that comes back starts at 0, as after a restart. */
const IDLE_MS = 3_600_000;
const SWEEP_MS = 300_000;

/** One finished call. Slot and model are empty where the call did not prove or name one. */
export interface FinishedCall {
  readonly slot: string;
  /** `<class>/<model>`. */
  readonly model: string;
  readonly code: number;
  readonly usage: Usage | undefined;
}

/** Counts calls and tokens per slot. A slot's series live as long as it calls, so that their number stays that of the busy slots. */
export class UsageMetrics {
  readonly openCalls: Gauge;
  /** Seconds until the provider's headers. */
  readonly answerSeconds: Histogram;
  readonly #requests: Counter<"slot" | "model" | "code">;
  readonly #tokens: Counter<"slot" | "model" | "kind">;
  readonly #clock: Clock;
  readonly #slots = new Map<string, { lastCallMs: number; remove: Map<string, () => void> }>();

  constructor(registry: Registry, clock: Clock) {
    const registers = [registry];
    this.#clock = clock;
    this.#requests = new Counter({
      name: "hatchery_model_requests_total",
      help: "Model calls by the slot that made them; a client that left counts as code 499.",
      labelNames: ["slot", "model", "code"],
      registers,
    });
    this.#tokens = new Counter({
      name: "hatchery_model_tokens_total",
      help: "Tokens that providers reported, by slot.",
      labelNames: ["slot", "model", "kind"],
      registers,
    });
    this.openCalls = new Gauge({ name: "hatchery_model_open_calls", help: "Model calls under way.", registers });
    this.answerSeconds = new Histogram({
      name: "hatchery_model_answer_seconds",
      help: "Time until a provider's answer began.",
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
      registers,
    });
  }

  /** Counts a call that is over. */
  count({ slot, model, code, usage }: FinishedCall): void {
    const entry = this.#slots.get(slot) ?? { lastCallMs: 0, remove: new Map<string, () => void>() };
    this.#slots.set(slot, entry);
    entry.lastCallMs = this.#clock.monotonic();
    const request = { slot, model, code: String(code) };
    this.#requests.inc(request);
    entry.remove.set(`${model} ${code}`, () => this.#requests.remove(request));
    if (!usage) return;
    for (const [kind, tokens] of [
      ["prompt", usage.promptTokens],
      ["completion", usage.completionTokens],
    ] as const) {
      this.#tokens.inc({ slot, model, kind }, tokens);
      entry.remove.set(`${model} ${kind}`, () => this.#tokens.remove({ slot, model, kind }));
    }
  }

  /** Drops the series of idle slots from time to time, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#clock, SWEEP_MS, signal);
      this.#dropIdle();
    }
  }

  #dropIdle(): void {
    const oldest = this.#clock.monotonic() - IDLE_MS;
    for (const [slot, { lastCallMs, remove }] of this.#slots) {
      if (lastCallMs > oldest) continue;
      for (const drop of remove.values()) drop();
      this.#slots.delete(slot);
    }
  }
}
