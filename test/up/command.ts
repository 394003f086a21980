import { spawn } from "node:child_process";

/** A command ended badly; `output` is what it printed on standard error (or output), trimmed. */
export class CommandError extends Error {
  override name = "CommandError";
  readonly output: string;

  constructor(command: readonly string[], code: number | string, output: string) {
    super(`${command.join(" ")} ended with ${code}: ${output}`);
    this.output = output;
  }
}

/** Settings of one run of a command. */
export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Pass what it prints through to our own output instead of collecting it. */
  readonly show?: boolean;
}

/**
 * Runs a program to its end and answers its standard output.
 * @throws CommandError when it cannot start or exits with anything but 0.
 */
export function run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<string> {
  const [file, ...args] = command;
  const out = options.show ? "inherit" : "pipe";
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: [options.input === undefined ? "ignore" : "pipe", out, out],
      env: { ...process.env, ...options.env },
      ...(options.signal && { signal: options.signal }),
    });
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdin?.on("error", () => undefined); // it may exit without reading; the exit code tells
    child.stdin?.end(options.input);
    child.on("error", (error) => reject(new CommandError(command, "no start", error.message)));
    child.on("close", (code, signalName) => {
      if (code === 0) resolve(stdout);
      else reject(new CommandError(command, code ?? signalName ?? "?", (stderr || stdout).trim()));
    });
  });
}
