import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { watchVolume } from "./volume.js";

const MIB = 1024 * 1024;

/** A volume of 300 MiB whose room and ability to be written the test sets. */
function aVolume() {
  const volume = { room: 200 * MIB, files: 1000, writes: true, told: 0, tried: 0 };
  const watch = watchVolume("/data", {
    onRoom: () => volume.told++,
    statfs: async () => ({
      bsize: 4096,
      blocks: (300 * MIB) / 4096,
      bavail: volume.room / 4096,
      files: 1000,
      ffree: volume.files,
    }),
    tryWrite: async () => {
      volume.tried++;
      return volume.writes;
    },
  });
  return { volume, watch };
}

describe("a volume", () => {
  it("with much room is not written to", async () => {
    const { volume, watch } = aVolume();
    expect(await watch.look()).toEqual({ full: false, sizeBytes: 300 * MIB, availableBytes: 200 * MIB });
    expect(volume.tried).toBe(0);
  });

  it.each([
    ["its room", { room: MIB / 2 }, true],
    ["its files", { files: 3 }, true],
    ["a write", { room: 32 * MIB, writes: false }, true],
    ["nothing", { room: 32 * MIB }, false],
  ])("is full by %s", async (_, state, full) => {
    const { volume, watch } = aVolume();
    Object.assign(volume, state);
    expect(await watch.look()).toMatchObject({ full });
  });

  it("that was full is told of once, when there is room to spare", async () => {
    const { volume, watch } = aVolume();
    volume.room = 0;
    await watch.look();
    volume.room = 8 * MIB;
    expect(await watch.look()).toMatchObject({ full: true });
    expect(volume.told).toBe(0);
    volume.room = 20 * MIB;
    expect(await watch.look()).toMatchObject({ full: false });
    await watch.look();
    expect(volume.told).toBe(1);
  });

  it("is tried by a file that does not stay", async () => {
    const directory = await mkdtemp(join(tmpdir(), "hatchery-volume-"));
    const statfs = async () => ({ bsize: 4096, blocks: 100, bavail: 8192, files: 0, ffree: 0 });
    try {
      expect(await watchVolume(directory, { onRoom: () => undefined, statfs }).look()).toMatchObject({ full: false });
      expect(await readdir(directory)).toEqual([]);
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
