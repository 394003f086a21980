import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPairingCodes } from "./pairing-codes.js";

/** The table of OpenClaw 2026.9.6. */
const TABLE = `CREATE TABLE channel_pairing_requests (channel_key TEXT NOT NULL, account_id TEXT NOT NULL,
  request_id TEXT NOT NULL, code TEXT NOT NULL, created_at TEXT NOT NULL, last_seen_at TEXT NOT NULL, meta_json TEXT,
  PRIMARY KEY (channel_key, account_id, request_id)) STRICT`;
const AT = "2026-11-26T09:12:42.074Z";

describe("the codes of those who ask to write", () => {
  let directory: string;
  let database: DatabaseSync;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "hatchery-codes-"));
    await mkdir(join(directory, "state"));
    database = new DatabaseSync(join(directory, "state", "openclaw.sqlite"));
    database.exec(`PRAGMA journal_mode = WAL; ${TABLE}`);
  });

  afterEach(async () => {
    database.close();
    await rm(directory, { recursive: true });
  });

  const ask = (sender: string, meta: string | null) =>
    database
      .prepare("INSERT INTO channel_pairing_requests VALUES ('telegram', 'default', ?, 'SDQMNLRC', ?, ?, ?)")
      .run(sender, AT, AT, meta);

  it("are read while OpenClaw writes", () => {
    expect(readPairingCodes(directory)).toEqual([]);
    ask("4711", '{"username":"bob"}');
    const code = { channel: "telegram", accountId: "default", senderId: "4711", createdAt: AT, code: "SDQMNLRC" };
    expect(readPairingCodes(directory)).toEqual([code]);
  });

  it.each([
    ['{"senderId":" E-99 "}', "E-99"],
    ['{"senderId":""}', "4711"],
    ['{"senderId":7}', "4711"],
    ["null", "4711"],
    ["{", "4711"],
    [null, "4711"],
  ])("with %j belong to %s", (meta, senderId) => {
    ask("4711", meta);
    expect(readPairingCodes(directory)).toMatchObject([{ senderId }]);
  });

  it("are an error, not none, when they can't be read", async () => {
    database.exec("DROP TABLE channel_pairing_requests");
    expect(() => readPairingCodes(directory)).toThrow(/channel_pairing_requests/);
    await expect(async () => readPairingCodes(join(directory, "nowhere"))).rejects.toThrow();
  });
});
