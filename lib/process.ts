import { ConfigError } from "./env.ts";
import { createLogger } from "./log.ts";

/** Signals that ask a process to stop. */
const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;
/** Any interval: its timer only keeps the event loop from running dry while `main` is pending. */
const KEEP_ALIVE_MS = 60_000;

/** What a process's `main` is given. */
export interface ProcessContext {
  /** Aborts on the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs a process to its end and exits it: with 0 or the code that `main` answers once it resolves, with 1 when it throws. The
 * first SIGTERM or SIGINT aborts the signal, a second one exits at once with 128 + its number. An unusable environment
 * (ConfigError) is printed to standard error as it is; any other error, an unhandled rejection among them, is logged as fatal.
 */
export async function runProcess(o: {
  name: string;
  main: (context: ProcessContext) => Promise<void> | Promise<number>;
}): Promise<never> {
  const stop = new AbortController();
  const fatal = (err: unknown, message: string): never => {
    createLogger(o.name).fatal({ err }, message);
    process.exit(1);
  };
  process.on("unhandledRejection", (reason) => fatal(reason, "a rejection nobody handled"));
  process.on("uncaughtException", (error) => fatal(error, "an exception nobody caught"));
  for (const name of STOP_SIGNALS) {
    process.on(name, (_: string, number: number) => {
      if (stop.signal.aborted) process.exit(128 + number);
      stop.abort(new Error(`stopped by ${name}`));
    });
  }
  const keepAlive = setInterval(() => undefined, KEEP_ALIVE_MS);
  let code: number | undefined;
  try {
    code = (await o.main({ signal: stop.signal, env: process.env })) ?? 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) return fatal(error, "the process failed");
    process.stderr.write(`${o.name}: ${error.message}\n`);
    process.exit(1);
  } finally {
    clearInterval(keepAlive);
  }
  process.exit(code);
}
