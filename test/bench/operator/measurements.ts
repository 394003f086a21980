import type { SelfTime } from "../kit/cpu-profile.ts";
import type { Creation } from "./create.ts";
import type { Cycles } from "./cycles.ts";
import type { Mishap, Reaction } from "./reactions.ts";
import type { Echo, Idle, Restart } from "./rest.ts";

/** All that was measured of one operator with one number of objects. Memory in bytes. */
export interface Measurements {
  readonly contender: string;
  readonly instances: number;
  /** Started, synced, with nothing to look after. */
  readonly emptyRssBytes: number;
  readonly creation: Creation;
  readonly idle: Idle;
  readonly pokes: Echo;
  readonly drifts: Echo;
  readonly reactions: Partial<Record<Mishap, Reaction>>;
  readonly restart: Restart;
  readonly cycles?: Cycles;
  readonly profile?: readonly SelfTime[];
}
