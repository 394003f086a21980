import { readFileSync } from "node:fs";

/** Put in by the bundler; undefined when the sources run as they are. */
declare const HATCHERY_VERSION: string | undefined;

/** The version of this program: the one in package.json. */
export const VERSION: string = typeof HATCHERY_VERSION === "string" ? HATCHERY_VERSION : readVersion();

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return version;
}
