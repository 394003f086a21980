import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import type { Layout } from "./layout.ts";

const recordSchema = z.object({
  /** Pid of the first process; another one means another run. */
  init: z.number().int(),
  nodes: z.number().int(),
  audit: z.boolean(),
  /** What it was started with: a handle taken later must not build anything. */
  tools: z.object({
    kube: z.string(),
    kubectl: z.string(),
    helm: z.string(),
    capsule: z.string(),
    csiDir: z.string(),
    pauseImage: z.object({ ref: z.string(), tar: z.string() }),
  }),
});

/** What is remembered of a cluster that started whole. */
export type ClusterRecord = z.infer<typeof recordSchema>;

const file = (layout: Layout) => join(layout.dir, "cluster.json");

/** The record, or undefined when the cluster never started whole. */
export async function readRecord(layout: Layout): Promise<ClusterRecord | undefined> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(file(layout), "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes the record at one stroke. */
export async function writeRecord(layout: Layout, record: ClusterRecord): Promise<void> {
  await writeFile(`${file(layout)}.new`, JSON.stringify(record));
  await rename(`${file(layout)}.new`, file(layout));
}

/** Forgets the record. */
export async function removeRecord(layout: Layout): Promise<void> {
  await rm(file(layout), { force: true });
}
