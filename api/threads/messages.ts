import { createHash } from "node:crypto";
import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import * as z from "zod";
import { canonicalJson } from "#lib/kube/canonical-json.ts";
import { ApiError } from "../errors.ts";
import { decodeCursor, encodeCursor, pageSchema } from "../http/page.ts";
import type { Tables, ThreadMessagesTable } from "../store/tables.ts";
import { threadNotFound } from "./threads.ts";

/** Messages of one call. */
export const MAX_APPENDED = 100;
const MAX_PARTS_BYTES = 256 * 1024;
const MAX_MESSAGES = 10_000;
/** A page ends early rather than hold more than this, but has one message at least. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

const MESSAGE_ROLES = ["user", "assistant", "system", "tool"] as const;

const messageFields = {
  message_id: z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, "expected 1 to 128 visible ASCII characters")
    .describe("The sender's own; unique in the thread."),
  role: z.enum(MESSAGE_ROLES),
  parts: z.array(z.record(z.string(), z.unknown())).describe("At most 256 KiB of JSON, given back as it is."),
};

/** A message as it is sent. */
export const newMessageSchema = z.strictObject({
  ...messageFields,
  parts: messageFields.parts.refine(
    (parts) => Buffer.byteLength(JSON.stringify(parts)) <= MAX_PARTS_BYTES,
    "is longer than 256 KiB of JSON",
  ),
});

type NewMessage = z.output<typeof newMessageSchema>;

/** What became of a message that was sent. */
export const appendedSchema = z.strictObject({
  message_id: z.string(),
  order: z.int().describe("1, 2, 3, ... of the thread."),
  created_at: z.int(),
  created: z.boolean().describe("False = it was there already."),
});

/** A message as callers see it; times in milliseconds since the epoch. */
export const messageSchema = z.strictObject({ ...messageFields, order: z.int(), created_at: z.int() });

/** A page of messages. */
export const messagePageSchema = pageSchema(messageSchema);

/** Messages are numbered without a gap, in the order they were kept. */
const position = z.object({ order: z.int().min(1).max(MAX_MESSAGES) });

/**
 * Adds messages to one of the tenant's threads, all or none, in their order and behind all there are. One whose id is there already
 * with the same content, or comes twice, is kept once.
 * @throws ApiError 404 for the thread, 409 when an id is there with other content or the thread is full; StoreError
 */
export async function appendMessages(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
  messages: readonly NewMessage[],
): Promise<z.output<typeof appendedSchema>[]> {
  return db.transaction().execute(async (trx) => {
    // Whoever else adds to the thread waits here until this is kept.
    const thread = await trx
      .selectFrom("threads")
      .select("message_count")
      .where("id", "=", id)
      .where("tenant_key", "=", tenant)
      .forUpdate()
      .executeTakeFirst();
    if (!thread) throw threadNotFound();
    const there = await findMessages(trx, id, messages);
    const known = new Map([...there].map(([key, { content_hash }]) => [key, content_hash]));
    let last = thread.message_count;
    const rows = messages.flatMap((message) => {
      const hash = contentHash(message);
      const found = known.get(message.message_id);
      known.set(message.message_id, hash);
      if (!found) return [rowOf(id, ++last, message, hash)];
      if (found.equals(hash)) return [];
      throw new ApiError("idempotency_conflict", `message_id ${message.message_id}: is there with other content`);
    });
    if (last > MAX_MESSAGES) {
      throw new ApiError("thread_full", `a thread holds ${MAX_MESSAGES} messages at most: go on in another one`);
    }
    const made = await insertMessages(trx, id, last, rows);
    return messages.map(({ message_id }) => {
      const old = there.get(message_id);
      const row = old ?? made.get(message_id);
      if (!row) throw new Error("a message was neither there nor made");
      return { message_id, order: row.position, created_at: row.created_at.getTime(), created: old === undefined };
    });
  });
}

/** A message is the same for whom role and parts are, whatever the order of keys. */
function contentHash({ role, parts }: NewMessage): Buffer {
  return createHash("sha256").update(canonicalJson({ role, parts })).digest();
}

type Kept = Pick<Selectable<ThreadMessagesTable>, "message_id" | "position" | "content_hash" | "created_at">;

async function findMessages(
  trx: Transaction<Tables>,
  threadId: string,
  messages: readonly NewMessage[],
): Promise<Map<string, Kept>> {
  const rows = await trx
    .selectFrom("thread_messages")
    .select(["message_id", "position", "content_hash", "created_at"])
    .where("thread_id", "=", threadId)
    .where(
      "message_id",
      "in",
      messages.map(({ message_id }) => message_id),
    )
    .execute();
  return new Map(rows.map((row) => [row.message_id, row]));
}

function rowOf(threadId: string, order: number, { message_id, role, parts }: NewMessage, hash: Buffer) {
  const json = JSON.stringify(parts);
  const content = { role, parts: json, bytes: Buffer.byteLength(json), content_hash: hash };
  return { thread_id: threadId, position: order, message_id, ...content };
}

async function insertMessages(
  trx: Transaction<Tables>,
  id: string,
  last: number,
  rows: ReturnType<typeof rowOf>[],
): Promise<Map<string, Kept>> {
  if (rows.length === 0) return new Map();
  const made = await trx
    .insertInto("thread_messages")
    .values(rows)
    .returning(["message_id", "position", "content_hash", "created_at"])
    .execute();
  await trx
    .updateTable("threads")
    .set({ message_count: last, updated_at: sql<Date>`clock_timestamp()` })
    .where("id", "=", id)
    .execute();
  return new Map(made.map((row) => [row.message_id, row]));
}

/**
 * A page of the messages of one of the tenant's threads.
 * @throws ApiError 404; ZodError for a cursor of something else; StoreError
 */
export async function listMessages(
  db: Kysely<Tables>,
  tenant: string,
  id: string,
  o: { order: "asc" | "desc"; limit: number; cursor?: string | undefined },
): Promise<z.output<typeof messagePageSchema>> {
  const after = decodeCursor(position, o.cursor)?.order;
  const thread = await db
    .selectFrom("threads")
    .select("message_count")
    .where("id", "=", id)
    .where("tenant_key", "=", tenant)
    .executeTakeFirst();
  if (!thread) throw threadNotFound();
  const rows = await readPage(db, id, { order: o.order, limit: o.limit, after });
  const last = rows.at(-1)?.position;
  // Numbered without a gap, so the number tells whether there are more.
  const end = o.order === "asc" ? thread.message_count : 1;
  const more = last !== undefined && (o.order === "asc" ? last < end : last > end);
  return { items: rows.map(describeMessage), next_cursor: more ? encodeCursor({ order: last }) : null };
}

type MessageRow = Awaited<ReturnType<typeof readPage>>[number];

function readPage(
  db: Kysely<Tables>,
  id: string,
  { order, limit, after }: { order: "asc" | "desc"; limit: number; after: number | undefined },
) {
  let inOrder = db.selectFrom("thread_messages").selectAll().where("thread_id", "=", id);
  if (after !== undefined) inOrder = inOrder.where("position", order === "asc" ? ">" : "<", after);
  const page = inOrder.orderBy("position", order).limit(limit);
  const sum = sql<bigint>`sum(bytes) over (order by position ${sql.raw(order)})`;
  return db
    .selectFrom(db.selectFrom(page.as("page")).selectAll().select(sql<bigint>`${sum} - bytes`.as("before")).as("m"))
    .select(["message_id", "role", "parts", "position", "created_at"])
    .where(sql<boolean>`before = 0 or before + bytes <= ${MAX_PAGE_BYTES}`)
    .orderBy("position", order)
    .execute();
}

function describeMessage({
  message_id,
  role,
  parts,
  position,
  created_at,
}: MessageRow): z.output<typeof messageSchema> {
  return { message_id, role, parts, order: position, created_at: created_at.getTime() };
}
