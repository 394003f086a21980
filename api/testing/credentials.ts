import { sql } from "kysely";
import { type ClientRequest, call } from "./client.ts";
import type { TestDatabase } from "./database.fixture.ts";

/** A request by somebody with an API token and nothing else. */
export function withToken(token: string, o: ClientRequest): ClientRequest {
  return { ...o, user: null, headers: { ...o.headers, "x-api-key": token } };
}

/** A request by an agent with its key and nothing else. */
export function withKey(key: string, o: ClientRequest): ClientRequest {
  return { ...o, user: null, headers: { ...o.headers, "x-oa-agent-key": key } };
}

/** What an API answered in one line, e.g. `200` or `403 access_denied`. */
export async function answerTo(url: string, o: ClientRequest): Promise<string> {
  const { status, json } = await call(url, o);
  const { code, error } = (json ?? {}) as { code?: string; error?: { code?: string } };
  return [status, code ?? error?.code].filter((word) => word !== undefined).join(" ");
}

/** The `data` of an answer that has to be a success. */
export async function dataOf<T>(url: string, o: ClientRequest): Promise<T> {
  const { status, json, text } = await call(url, o);
  if (status !== 200) throw new Error(`${o.method ?? ""} ${o.path} answered ${status}: ${text}`);
  return (json as { data: T }).data;
}

/** Every row of every table, as text. */
export async function dumpTables({ owner }: TestDatabase): Promise<string> {
  const { rows: tables } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = current_schema()`.execute(owner);
  const dumps = await Promise.all(
    tables.map(({ name }) => sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(owner)),
  );
  return dumps.flatMap(({ rows }) => rows.map(({ row }) => row)).join("\n");
}
