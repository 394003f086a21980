import { statfs as statVolume, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Less room than this is none: a database needs more than one byte to go on. */
const FULL_BELOW_BYTES = 1024 * 1024;
/** Room again, with enough of a distance that the next message does not fill it. */
const ROOM_FROM_BYTES = 16 * 1024 * 1024;
/** Files that can still be made, where the file system counts them. */
const FULL_BELOW_FILES = 16;
/** With more room than this, quotas aside, nobody needs to try. */
const TRY_BELOW_BYTES = 64 * 1024 * 1024;

const NO_ROOM = new Set(["ENOSPC", "EDQUOT"]);

/** Watches how full the volume of a directory is; `onRoom` is told once it has room after having been full. */
export function watchVolume(directory, { onRoom, statfs = statVolume, tryWrite = writeSomething }) {
  let full = false;

  async function look() {
    const { bsize, blocks, bavail, files, ffree } = await statfs(directory);
    const sizeBytes = bsize * blocks;
    const availableBytes = bsize * bavail;
    const noFiles = files > 0 && ffree < FULL_BELOW_FILES;
    const low = availableBytes < TRY_BELOW_BYTES || noFiles;
    // What was full needs room to spare before it counts as having some.
    const tooLow = availableBytes < (full ? ROOM_FROM_BYTES : FULL_BELOW_BYTES) || noFiles;
    const isFull = tooLow || (low && !(await tryWrite(directory)));
    const hadNone = full;
    full = isFull;
    if (hadNone && !isFull) onRoom();
    return { full: isFull, sizeBytes, availableBytes };
  }

  return { look };
}

/** False when there is no room for it. Any other failure says nothing about room. */
async function writeSomething(directory) {
  const file = join(directory, ".hatchery-room");
  try {
    await writeFile(file, Buffer.alloc(64 * 1024), { flush: true });
    return true;
  } catch (error) {
    return !NO_ROOM.has(error.code);
  } finally {
    await unlink(file).catch(() => undefined);
  }
}
