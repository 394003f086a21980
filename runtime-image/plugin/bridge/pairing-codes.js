import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const CODES = `SELECT channel_key AS channel, account_id AS accountId, request_id AS sender, created_at AS createdAt,
  code, meta_json AS meta FROM channel_pairing_requests`;

/** OpenClaw's methods list who asks and keep back the code they were told, by which a person recognises them. */
export function readPairingCodes(stateDirectory) {
  const database = new DatabaseSync(join(stateDirectory, "state", "openclaw.sqlite"), { readOnly: true });
  try {
    const rows = database.prepare(CODES).all();
    return rows.map(({ sender, meta, ...row }) => ({ ...row, senderId: shownSender(meta) ?? sender }));
  } finally {
    database.close();
  }
}

/** Some channels store a sender under one id and show another. */
function shownSender(meta) {
  try {
    const { senderId } = JSON.parse(meta);
    return typeof senderId === "string" && senderId.trim() !== "" ? senderId.trim() : undefined;
  } catch {
    return undefined;
  }
}
