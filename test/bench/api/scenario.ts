/** How the upstream answers a turn; it is told in the turn's `metadata`, which every proxy passes on. */
export type Scenario =
  /** Events at this rate until the client leaves. */
  | { readonly kind: "events"; readonly perSecond: number }
  /** One event, and the end. */
  | { readonly kind: "once" }
  /** One event, then silence until the client leaves. */
  | { readonly kind: "quiet" }
  /** As many bytes as are taken, up to this number. */
  | { readonly kind: "flood"; readonly bytes: number };

/** Where the upstream answers a turn. */
export const TURN_PATH = "/v1/responses";
/** The small answer of a read. */
export const READ_PATH = "/v1/models";
/** Where the upstream says how many bytes of floods it got rid of. */
export const TAKEN_PATH = "/taken";

/** The field of an event that says when it left, in microseconds of the machine's monotonic clock. */
const SENT = '"sent":';

/** The body of a turn that is answered like this. */
export function turnBody(scenario: Scenario): string {
  return JSON.stringify({ model: "openclaw", stream: true, input: "hello", metadata: { scenario } });
}

/** What the upstream is asked to do. @throws Error for a body that is none of ours. */
export function readScenario(body: string): Scenario {
  const { metadata } = JSON.parse(body) as { metadata?: { scenario?: Scenario } };
  if (!metadata?.scenario) throw new Error("the turn has no scenario");
  return metadata.scenario;
}

/** One event, about as long as one token of a model is on the way. */
export function renderEvent(sentMs: number): string {
  const item = '"item_id":"msg_0123456789abcdef","output_index":0,"content_index":0,"delta":" token"';
  return `event: response.output_text.delta\ndata: {"type":"response.output_text.delta",${item},${SENT}${Math.round(sentMs * 1000)}}\n\n`;
}

/** Reads events from a stream that comes in pieces. */
export class EventReader {
  #rest = "";

  /** When each event that ends in this piece was sent, in milliseconds. */
  push(text: string): number[] {
    const events = (this.#rest + text).split("\n\n");
    this.#rest = events.pop() ?? "";
    return events.flatMap((event) => {
      const at = event.indexOf(SENT);
      // A comment that keeps the stream alive.
      return at < 0 ? [] : [Number.parseInt(event.slice(at + SENT.length), 10) / 1000];
    });
  }
}
