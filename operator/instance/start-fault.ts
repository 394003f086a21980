import { REASON, type Reason } from "#crds/index.ts";

/** OpenClaw's exit code for what trying again will not cure: its configuration, or the state it finds. */
const EXIT_HOPELESS = 78;

/** Why a start failed, and what to do about it. */
export interface StartFault {
  readonly reason: Reason;
  /** Before OpenClaw's words. */
  readonly what: string;
  /** After them. */
  readonly next: string;
  /** It may pass by itself, so a first time is no fault. */
  readonly mayPass?: true;
}

const FULL: StartFault = {
  reason: REASON.StorageFull,
  what: "The volume is full, so OpenClaw ends",
  next: "Raise storage.size of the instance or its class, or remove files; it is started again meanwhile.",
};
const CONFIG: StartFault = {
  reason: REASON.ConfigRejected,
  what: "OpenClaw refused its configuration",
  next: "Correct gateway.config of the instance or its class.",
};
const CONTENDED: StartFault = {
  reason: REASON.StateUnusable,
  what: "OpenClaw could not get or keep its state to itself",
  next: "Look for another pod that mounts this volume, and whether the volume is very slow; it is started again meanwhile.",
  mayPass: true,
};
const NEWER: StartFault = {
  reason: REASON.StateUnusable,
  what: "OpenClaw does not start on the state it finds",
  next: "Its version may be older than that of the state: go back to the image that ran before, or restore a backup.",
};
const UNWRITABLE: StartFault = {
  reason: REASON.StateUnusable,
  what: "OpenClaw cannot write its state directory",
  next: "The volume must be writable for group 1000: check the StorageClass's driver and its fsGroup support.",
};

/**
 * OpenClaw's own words for what one exit code stands for, the surest first: a refusal of the configuration may name a file
 * that is missing, and a volume that is full or unwritable shows in many ways.
 */
const BY_WORDS: readonly [RegExp, StartFault][] = [
  [
    /invalid config|missing gateway\.mode|refusing to bind|gateway auth is set to|legacy config keys|unrecognized key/i,
    CONFIG,
  ],
  [/contention|heartbeat|\blease\b|already running|another (gateway|process)|database is locked/i, CONTENDED],
  [/newer openclaw|newer[- ]schema|gateway requires|schema version|state-migrations/i, NEWER],
  [
    /\b(EACCES|EPERM|EROFS|ENOENT|ENOTDIR|EIO)\b|readonly database|permission denied|read-only file system/i,
    UNWRITABLE,
  ],
  [/config|\bgateway\./i, CONFIG],
];

const FULL_WORDS = /\b(ENOSPC|EDQUOT)\b|no space left on device|database or disk is full|disk quota exceeded/i;

/** What the end of a container says about its cause; undefined when it says none that we know. */
export function startFaultOf(exitCode: number, said: string): StartFault | undefined {
  if (FULL_WORDS.test(said)) return FULL;
  if (exitCode !== EXIT_HOPELESS) return undefined;
  return BY_WORDS.find(([words]) => words.test(said))?.[1];
}
