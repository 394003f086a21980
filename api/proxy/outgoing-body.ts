/** Sent at a time, so that a gateway that does not read leaves the rest in our books, not in the socket's queue. */
const PIECE_BYTES = 64 * 1024;
/** A body that undici may keep until the answer is over: so little that it need not be in our books. */
const SMALL_BYTES = 16 * 1024;

/** A request body on its way to a gateway, held no longer than until the gateway has it. A body can be sent once. */
export interface OutgoingBody {
  readonly byteLength: number;
  /** A small body in one piece, which leaves together with the request's head; whoever sends it drops it when it is sent. */
  whole(): Buffer | undefined;
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
    whole: () => (bytes && bytes.length <= SMALL_BYTES ? bytes : undefined),
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
