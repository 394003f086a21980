import { type Logger as PinoLogger, pino } from "pino";

/** Structured logger: `log.info({instance, reason}, "created pod")`. */
export type Logger = PinoLogger;

/** Levels a process accepts in `LOG_LEVEL`. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** Fields that never reach a log line, wherever a caller puts them. */
const SECRET_FIELDS = ["authorization", "token", "key", "apiKey", "password", "secret", "cookie"];

/** A JSON logger on standard output for one process; `name` is the process. Secret-looking fields are censored. */
export function createLogger(name: string, level: (typeof LOG_LEVELS)[number] = "info"): Logger {
  return pino({
    name,
    level,
    base: { name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.headers["${field}"]`]),
      censor: "[redacted]",
    },
    serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
  });
}
