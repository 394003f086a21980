import { type Kysely, type Selectable, sql } from "kysely";
import * as z from "zod";
import { ApiError } from "../errors.ts";
import { decodeCursor, pageOf, pageSchema } from "../http/page.ts";
import { comesAfter, microseconds, positionSchema } from "../store/position.ts";
import { isStorable } from "../store/storable.ts";
import type { Tables, ThreadsTable } from "../store/tables.ts";

/** Threads of one tenant, about: those that are made at the same time may pass it. */
const MAX_THREADS = 10_000;

/** What a thread is about. */
export const THREAD_KINDS = ["chat", "project", "openclaw"] as const;

/** A thread's title as callers give it. */
export const threadTitle = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .refine(isStorable, "holds a zero character or half a surrogate pair")
  .meta({
    description: "1 to 200 characters; space around it does not count.",
    pattern: String.raw`^[^\u0000]*[^\s\u0000][^\u0000]*$`,
  });

/** The path parameter of one thread. */
export const threadParams = z.object({ id: z.uuid() });

/** A thread as callers see it; times in milliseconds since the epoch. */
export const threadSchema = z.strictObject({
  id: z.uuid(),
  title: z.string(),
  kind: z.enum(THREAD_KINDS),
  archived: z.boolean(),
  message_count: z.int(),
  created_at: z.int(),
  updated_at: z.int().describe("When it was last changed or written to."),
});

/** A thread as {@link threadSchema} describes it. */
export type Thread = z.output<typeof threadSchema>;

/** What of a thread can be changed; what is absent stays. */
export interface ThreadChange {
  readonly title?: string;
  readonly archived?: boolean;
}

/** A page of threads. */
export const threadPageSchema = pageSchema(threadSchema);

/** Newest first by creation: nothing that happens meanwhile moves a thread across a cursor. */
const position = positionSchema.extend({ key: z.uuid() });

function describeThread(row: Selectable<ThreadsTable>): Thread {
  const { id, title, kind, archived, message_count } = row;
  const times = { created_at: row.created_at.getTime(), updated_at: row.updated_at.getTime() };
  return { id, title, kind, archived, message_count, ...times };
}

/** The answer to an id that is not one of the tenant's threads, whoever else's it may be. */
export function threadNotFound(): ApiError {
  return new ApiError("thread_not_found", "thread not found");
}

/** Makes a thread. @throws ApiError 409 when the tenant has too many; StoreError */
export async function createThread(
  db: Kysely<Tables>,
  tenant: string,
  o: { title: string; kind: Thread["kind"] },
): Promise<Thread> {
  const { count } = await db
    .selectFrom("threads")
    .select(({ fn }) => fn.countAll().as("count"))
    .where("tenant_key", "=", tenant)
    .executeTakeFirstOrThrow();
  if (Number(count) >= MAX_THREADS) {
    throw new ApiError("too_many_threads", `there are ${MAX_THREADS} threads already: delete some first`);
  }
  const made = await db
    .insertInto("threads")
    .values({ tenant_key: tenant, ...o })
    .returningAll()
    .executeTakeFirstOrThrow();
  return describeThread(made);
}

/** One of the tenant's threads. @throws ApiError 404; StoreError */
export async function getThread(db: Kysely<Tables>, tenant: string, id: string): Promise<Thread> {
  const found = await db
    .selectFrom("threads")
    .selectAll()
    .where("id", "=", id)
    .where("tenant_key", "=", tenant)
    .executeTakeFirst();
  if (!found) throw threadNotFound();
  return describeThread(found);
}

/** A page of the tenant's threads, the newest first. @throws ZodError for a cursor of something else; StoreError */
export async function listThreads(
  db: Kysely<Tables>,
  tenant: string,
  o: {
    archived?: boolean | undefined;
    kind?: Thread["kind"] | undefined;
    limit: number;
    cursor?: string | undefined;
  },
): Promise<z.output<typeof threadPageSchema>> {
  const after = decodeCursor(position, o.cursor);
  let query = db
    .selectFrom("threads")
    .selectAll()
    .select(microseconds("created_at").as("at"))
    .where("tenant_key", "=", tenant)
    .where(comesAfter(after, { time: "created_at", key: "id" }));
  if (o.archived !== undefined) query = query.where("archived", "=", o.archived);
  if (o.kind !== undefined) query = query.where("kind", "=", o.kind);
  const rows = await query
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(o.limit + 1)
    .execute();
  return pageOf(rows, o.limit, { item: describeThread, position: ({ at, id }) => ({ at: Number(at), key: id }) });
}

/** Changes one of the tenant's threads. @throws ApiError 404; StoreError */
export async function updateThread(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
  change: ThreadChange,
): Promise<Thread> {
  const changed = await db
    .updateTable("threads")
    .set({ ...change, updated_at: sql<Date>`clock_timestamp()` })
    .where("id", "=", id)
    .where("tenant_key", "=", tenant)
    .returningAll()
    .executeTakeFirst();
  if (!changed) throw threadNotFound();
  return describeThread(changed);
}

/** Deletes one of the tenant's threads with all its messages. @throws ApiError 404; StoreError */
export async function deleteThread(db: Kysely<Tables>, tenant: string, id: string): Promise<void> {
  const deleted = await db
    .deleteFrom("threads")
    .where("id", "=", id)
    .where("tenant_key", "=", tenant)
    .executeTakeFirst();
  if (deleted.numDeletedRows === 0n) throw threadNotFound();
}
