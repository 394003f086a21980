import { showEnvironment, showLogs, showStatus } from "./show.ts";
import { down, up } from "./up.ts";

const COMMANDS: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  up: () => up(process.env),
  down: () => down(process.env),
  env: () => showEnvironment(process.env),
  status: () => showStatus(process.env),
  logs: (args) => showLogs(process.env, args),
};

const [name = "", ...args] = process.argv.slice(2);
const command = COMMANDS[name];
try {
  if (!command) throw new Error(`no command "${name}"; there are ${Object.keys(COMMANDS).join(", ")}`);
  await command(args);
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : String(error)}`);
  if (process.env.DEBUG) console.error(error);
  process.exitCode = 1;
}
