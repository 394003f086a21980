import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { inside } from "./namespaces.ts";
import { CONTAINERD_SOCKET } from "./node-config.ts";
import { step } from "./progress.ts";
import type { ImageFile } from "./scratch-image.ts";
import { run } from "./shell.ts";
import { waitFor } from "./wait.ts";

/** Label that remembers which archive an image came from. */
const SOURCE_LABEL = "hatchery.source";

/** Runs containerd's client on the node whose first process is `pid`. */
function ctr(pid: number, ...args: string[]): Promise<string> {
  return run(inside(pid, ["ctr", "--address", CONTAINERD_SOCKET, "--namespace", "k8s.io", ...args]));
}

/** Waits until a node's containerd answers, then drops the containers of an earlier run: their processes are gone. */
export async function prepareContainerd(pid: number, signal: AbortSignal): Promise<void> {
  await waitFor("containerd", async () => (await ctr(pid, "version")) !== "", { signal });
  const containers = (await ctr(pid, "containers", "list", "--quiet")).split("\n").filter(Boolean);
  if (containers.length > 0) await ctr(pid, "containers", "delete", ...containers);
}

/** Makes an image known to a node. One that came from an archive of the same content is there already. */
export async function importImage(pid: number, image: ImageFile): Promise<void> {
  const source = (await sha256(image.tar)).slice(0, 60);
  const present = await ctr(pid, "images", "list", "--quiet", `labels."${SOURCE_LABEL}"==${source}`);
  if (present.split("\n").includes(image.ref)) return;
  await step(`import ${image.ref}`, () => ctr(pid, "images", "import", image.tar));
  await ctr(pid, "images", "label", image.ref, `${SOURCE_LABEL}=${source}`);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest("hex");
}
