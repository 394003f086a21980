import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** How `run` starts a command. */
export interface RunOptions {
  cwd?: string;
  /** Added to this process's environment; `undefined` takes a variable away. */
  env?: Record<string, string | undefined>;
  /** Text for standard input; nothing by default. */
  input?: string;
  /** Ends the command with SIGTERM. */
  signal?: AbortSignal;
}

/** A command ended with another code than 0, or could not be started. */
export class CommandError extends Error {
  override name = "CommandError";
  /** Exit code; undefined when it never ran or a signal ended it. */
  readonly code: number | undefined;
  /** What it wrote to standard error. */
  readonly stderr: string;

  constructor(message: string, code: number | undefined, stderr: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.stderr = stderr;
  }
}

/**
 * Runs a command without a shell and gives its standard output.
 * @throws CommandError with the command and what it wrote to standard error.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    env: { ...process.env, ...options.env },
  });
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal ?? "SIGKILL"));
  });
  child.stdin.on("error", () => undefined); // a command may end without reading its input; its exit code tells
  child.stdin.end(options.input ?? "");
  const outputs = Promise.all([text(child.stdout), text(child.stderr)]);
  let status: number | NodeJS.Signals;
  try {
    status = await ended;
  } catch (error) {
    await outputs.catch(() => undefined);
    throw new CommandError(`${file}: ${(error as Error).message}`, undefined, "", { cause: error });
  }
  const [stdout, stderr] = await outputs;
  if (status === 0) return stdout;
  const how = typeof status === "number" ? `exit code ${status}` : status;
  const said = (stderr.trim() || stdout.trim()).slice(-4_000);
  throw new CommandError(
    `${argv.join(" ").slice(0, 300)}: ${how}${said ? `\n${said}` : ""}`,
    typeof status === "number" ? status : undefined,
    stderr,
  );
}
