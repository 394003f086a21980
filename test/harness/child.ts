import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How a child ended. */
export interface ChildEnd {
  code: number | null;
  /** Standard output, without the last line break. */
  out: string;
  err: string;
}

/**
 * A Node process of its own that runs a module given as text, in which the project's `#lib/...` imports work and
 * `say(text)` writes a line. Kill it in the end, whatever happened.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly exited: Promise<ChildEnd>;
  #wake: () => void = () => undefined;

  constructor(module: string, env: Readonly<Record<string, string>> = {}) {
    const script = `const say = (text) => process.stdout.write(text + "\\n");\n${module}`;
    this.#process = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      cwd: new URL("../..", import.meta.url),
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { stdout, stderr } = this.#process;
    if (!stdout || !stderr) throw new Error("the child has no pipes");
    let err = "";
    stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    createInterface({ input: stdout }).on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    this.exited = once(this.#process, "close").then(([code]) => ({
      code: code as number | null,
      out: this.#lines.join("\n"),
      err,
    }));
  }

  /** Resolves once the child wrote this line; rejects if it ends without. */
  async line(text: string): Promise<void> {
    const gone = this.exited.then(({ err }) => {
      if (!this.#lines.includes(text)) throw new Error(`ended without saying ${text}: ${err}`);
    });
    while (!this.#lines.includes(text)) {
      const next = Promise.withResolvers<void>();
      this.#wake = next.resolve;
      await Promise.race([gone, next.promise]);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}
