import type { StatsFs } from "node:fs";

/** How full a volume is; `full` means that what has to be written cannot be. */
export interface VolumeState {
  full: boolean;
  sizeBytes: number;
  availableBytes: number;
}

/** Watches the volume of a directory, whenever it is told to look. */
export interface VolumeWatch {
  look(): Promise<VolumeState>;
}

/** `onRoom` is told once the volume has room after it was full. The rest is for tests. */
export function watchVolume(
  directory: string,
  options: {
    onRoom: () => void;
    statfs?: (directory: string) => Promise<Pick<StatsFs, "bsize" | "blocks" | "bavail" | "files" | "ffree">>;
    tryWrite?: (directory: string) => Promise<boolean>;
  },
): VolumeWatch;
