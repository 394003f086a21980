import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "#test/images/paths.ts";

const SERVER_IMAGE = join(ROOT, "runtime-image/server/Dockerfile");

/** What the server image puts into the environment, so that the two cannot drift apart. */
export async function environmentOfImage(): Promise<Record<string, string>> {
  const [, block = ""] = /^ENV ((?:.*\\\n)*.*)/m.exec(await readFile(SERVER_IMAGE, "utf8")) ?? [];
  const pairs = [...block.matchAll(/(\w+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value] as const);
  const environment = Object.fromEntries(pairs.filter(([name]) => name !== "PATH" && name !== "HOME"));
  if (!("NODE_OPTIONS" in environment)) throw new Error(`${SERVER_IMAGE} sets no NODE_OPTIONS`);
  return environment;
}
