import { forEachOf } from "../kit/for-each.ts";
import type { Rig } from "./rig.ts";
import type { RunningOperator } from "./running-operator.ts";
import { createRendezvous, track } from "./tracker.ts";

/** Memory over many creations and deletions, in bytes. */
export interface Cycles {
  readonly count: number;
  /** After each further twentieth. */
  readonly rssBytes: readonly number[];
}

/** Objects alive at a time. */
const CONCURRENCY = 16;
const SAMPLES = 20;
const PATIENCE_MS = 600_000;

/** Creates an object, waits until it is Ready, deletes it, waits until it is gone; `count` times over. */
export async function cycle(rig: Rig, operator: RunningOperator, count: number): Promise<Cycles> {
  const { client, contender, namespace } = rig;
  const ready = createRendezvous();
  const gone = createRendezvous();
  const tracker = await track(client, contender.type, namespace, ({ type, object }, now) => {
    if (type === "DELETED") gone.happened(object.metadata.name, now);
    else if (contender.isReady(object)) ready.happened(object.metadata.name, now);
  });
  const every = Math.max(1, Math.floor(count / SAMPLES));
  const rssBytes: number[] = [];
  await forEachOf(count, CONCURRENCY, async (index) => {
    const name = `cycle-${index}`;
    await client.create(contender.type, contender.object(namespace, name));
    await ready.when(name, PATIENCE_MS);
    await client.delete(contender.type, { namespace, name });
    await gone.when(name, PATIENCE_MS);
    if ((index + 1) % every === 0) rssBytes.push((await operator.usage()).rssBytes);
  });
  await operator.quiet();
  await tracker.stop();
  return { count, rssBytes };
}
