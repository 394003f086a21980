import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensurePackages } from "#test/cluster/packages.ts";
import { writeScratchImage } from "#test/cluster/scratch-image.ts";
import { pushImage } from "./archive.ts";

/** A registry's log line that names the address it took. */
const LISTENING = /listening on (127\.0\.0\.1:\d+)/;

describe("pushImage", () => {
  let work: string;
  let registry: ChildProcess;
  let address: string;

  beforeAll(async () => {
    await ensurePackages([["docker-registry", "docker-registry"]]);
    work = await mkdtemp(join(tmpdir(), "hatchery-registry-"));
    const config = { version: 0.1, storage: { filesystem: { rootdirectory: work } }, http: { addr: "127.0.0.1:0" } };
    await writeFile(join(work, "config.yml"), JSON.stringify(config));
    const child = spawn("docker-registry", ["serve", join(work, "config.yml")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    registry = child;
    address = await new Promise<string>((resolve, reject) => {
      createInterface(child.stderr).on("line", (line) => {
        const [, found] = LISTENING.exec(line) ?? [];
        if (found) resolve(found);
      });
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`the registry ended with ${code}`)));
    });
  });

  afterAll(async () => {
    const ended = once(registry, "exit");
    registry.kill();
    await ended;
    await rm(work, { recursive: true });
  });

  it("brings an archive to a registry on loopback under the name it is given", async () => {
    const file = join(work, "hello");
    await copyFile("/bin/true", file);
    const image = { ref: "localhost/hatchery/hello:1", files: { hello: file }, entrypoint: ["/hello"] };
    const { tar } = await writeScratchImage(image, join(work, "hello.tar"));
    await pushImage(tar, `${address}/hatchery/hello:1`);
    const tags = await fetch(`http://${address}/v2/hatchery/hello/tags/list`);
    expect(await tags.json()).toEqual({ name: "hatchery/hello", tags: ["1"] });
  });

  it("says which registry does not take it", async () => {
    await expect(pushImage(join(work, "no.tar"), `${address}/hatchery/hello:2`)).rejects.toThrow(/no\.tar/);
  });
});
