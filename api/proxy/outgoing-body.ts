/** Sent at a time, so that a gateway that does not read leaves the rest in our books, not in the socket's queue. */
const PIECE_BYTES = 64 * 1024;

/** A request body on its way to a gateway, held no longer than until the gateway has it. A body can be sent once. */
export interface OutgoingBody {
  readonly byteLength: number;
  /** What undici sends; it asks for the end only after the bytes have left. */
  chunks(): AsyncIterable<Buffer>;
  /** Forgets the bytes and gives them back to their budget, where they were not sent. */
  drop(): void;
}

/** This value as JSON; `release` is called once, when its bytes are no longer held. */
export function outgoingJson(value: unknown, release: () => void = () => undefined): OutgoingBody {
  let bytes: Buffer | undefined = Buffer.from(JSON.stringify(value));
  const drop = () => {
    if (!bytes) return;
    bytes = undefined;
    release();
  };
  return {
    byteLength: bytes.length,
    async *chunks() {
      try {
        for (let at = 0; bytes && at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
      } finally {
        drop();
      }
    },
    drop,
  };
}
