import * as z from "zod";
import type { OpenClawInstance } from "#crds/index.ts";

/** Where a page of instances ends, newest first. */
export const instancePositionSchema = z.strictObject({ created: z.string().max(40), name: z.string().max(253) });

/** What {@link instancePositionSchema} describes. */
export type InstancePosition = z.output<typeof instancePositionSchema>;

/** The place of an instance among all. */
export function positionOf({ metadata }: OpenClawInstance): InstancePosition {
  return { created: metadata.creationTimestamp ?? "", name: metadata.name };
}

/** The order of a list, newest first; instances of the same second by their names. */
export function compareNewestFirst(a: InstancePosition, b: InstancePosition): number {
  if (a.created !== b.created) return a.created < b.created ? 1 : -1;
  if (a.name === b.name) return 0;
  return a.name < b.name ? 1 : -1;
}
