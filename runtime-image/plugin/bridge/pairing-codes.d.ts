/** The code of one pending request to write to the agent; the rest tells which request it is. */
export interface PairingCode {
  channel: string;
  accountId: string;
  senderId: string;
  createdAt: string;
  code: string;
}

/** The codes of all requests that OpenClaw keeps, those that are too old included. Throws when its database can't be read. */
export function readPairingCodes(stateDirectory: string): PairingCode[];
