import type { IncomingHttpHeaders } from "node:http";

/** One chat completion request as the provider saw it. Credentials are judged, never repeated. */
export interface SeenRequest {
  model: string;
  stream: boolean;
  /** Whether the client asked for token usage in the stream. */
  includeUsage: boolean;
  credential: "expected" | "wrong" | "missing";
  headers: Record<string, string>;
  bodyBytes: number;
}

/** Counts since the start of the simulator. */
export interface ModelStats {
  /** Chat completion requests taken. */
  total: number;
  /** ... of them still being answered. */
  active: number;
  /** ... of them whose client left before the end. */
  aborted: number;
  /** Requests refused for their credential. */
  unauthorized: number;
  last: SeenRequest | null;
}

/** Headers whose values are credentials. */
const CREDENTIAL_HEADERS = new Set(["authorization", "proxy-authorization", "cookie", "x-api-key"]);

/** Request headers as one flat object without any credential. */
export function safeHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !CREDENTIAL_HEADERS.has(name))
      .map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
}

/** Keeps the counts and wakes whoever waits for them to change. */
export class StatsKeeper {
  #stats: ModelStats = { total: 0, active: 0, aborted: 0, unauthorized: 0, last: null };
  #watchers = new Set<() => void>();

  /** A copy of the counts. */
  read(): ModelStats {
    return structuredClone(this.#stats);
  }

  /** Changes the counts and tells the watchers. */
  update(change: (stats: ModelStats) => void): void {
    change(this.#stats);
    for (const watcher of this.#watchers) watcher();
  }

  /** Resolves with the counts as soon as `wanted` holds; rejects with the signal's reason when it aborts first. */
  when(wanted: (stats: ModelStats) => boolean, signal?: AbortSignal): Promise<ModelStats> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#watchers.delete(check);
        signal?.removeEventListener("abort", abort);
      };
      const check = () => {
        if (!wanted(this.#stats)) return;
        leave();
        resolve(this.read());
      };
      const abort = () => {
        leave();
        reject(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      this.#watchers.add(check);
      signal?.addEventListener("abort", abort, { once: true });
      if (signal?.aborted) abort();
      else check();
    });
  }
}
