import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { Readable, Writable } from "node:stream";
import { type Dispatcher, stream } from "undici";
import { VERSION } from "#lib/version.ts";
import { pacedWriter } from "../http/paced-writer.ts";
import type { OutgoingBody } from "../proxy/outgoing-body.ts";
import type { Provider } from "./config.ts";
import { OpenAIError } from "./openai-error.ts";
import { connectionError, refusal, refusalNote } from "./provider-error.ts";
import type { Usage } from "./usage.ts";
import { EventUsageTap, JsonUsageTap } from "./usage-tap.ts";

/** The only headers of a pod that reach a provider. */
const PASSED_TO_PROVIDER = ["accept", "traceparent", "tracestate"];
/** The only headers of a provider that reach a pod. */
const PASSED_TO_CLIENT = ["content-type", "content-encoding"];
/** ... and of a refusal, whose body may be ours. */
const PASSED_WITH_REFUSAL = ["retry-after", "retry-after-ms", "x-should-retry"];
/** An error text longer than this is cut; nobody reads that much. */
const MAX_ERROR_BYTES = 64 * 1024;

/** One call to pass on. */
export interface ForwardedCall {
  readonly dispatcher: Dispatcher;
  readonly provider: Provider;
  /** Path below the provider's base URL, e.g. `/chat/completions`. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: OutgoingBody;
  /** Leave out the stream's usage chunk. */
  readonly dropUsageChunk: boolean;
  readonly res: ServerResponse;
  /** Called once, when the provider's headers are in. */
  readonly onAnswer: () => void;
  /** Called once with the provider's words for the log, when it refused the call. */
  readonly onRefusal: (note: Error) => void;
  /** Called with each usage report, before the client has the end of the answer. */
  readonly onUsage: (usage: Usage) => void;
}

/**
 * Sends a call to the provider and its answer to the client as it comes. A client that leaves ends the call and resolves it.
 * @throws OpenAIError when the provider gave no answer that could be passed on, or broke one off; the caller must then cut
 * what has begun, never end it as if it were whole.
 */
export async function forwardCall(call: ForwardedCall): Promise<void> {
  const { provider, res } = call;
  const gone = new AbortController();
  const onClose = () => {
    if (!res.writableFinished) gone.abort();
  };
  res.once("close", onClose);
  if (res.closed) gone.abort();
  const answer = new Answer(call);
  try {
    await stream(
      `${provider.baseUrl}${call.path}`,
      {
        dispatcher: call.dispatcher,
        method: "POST",
        headers: requestHeaders(call),
        body: Readable.from(call.body.chunks(), { objectMode: false }),
        headersTimeout: provider.timeoutMs,
        bodyTimeout: provider.timeoutMs,
        signal: gone.signal,
      },
      (head) => answer.begin(head.statusCode, head.headers),
    );
  } catch (error) {
    if (gone.signal.aborted) return;
    throw connectionError(provider, error);
  } finally {
    call.body.drop();
    res.off("close", onClose);
  }
  answer.finish();
}

function requestHeaders({ headers, provider, body }: ForwardedCall): Record<string, string> {
  return {
    ...pick(headers, PASSED_TO_PROVIDER),
    authorization: `Bearer ${provider.apiKey}`,
    "content-type": "application/json",
    "content-length": String(body.byteLength),
    // Usage can't be read in a compressed answer.
    "accept-encoding": "identity",
    "user-agent": `hatchery-model-gateway/${VERSION}`,
  };
}

function pick(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  const entries = names.map((name) => [name, headers[name]] as const);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}

/** The provider's answer on its way to the client. */
class Answer {
  readonly #call: ForwardedCall;
  #status = 0;
  #errorText: Buffer[] | undefined;

  constructor(call: ForwardedCall) {
    this.#call = call;
  }

  /** The provider's headers are in; answers where its body goes. */
  begin(status: number, headers: IncomingHttpHeaders): Writable {
    const { res, dropUsageChunk, onAnswer, onUsage } = this.#call;
    onAnswer();
    this.#status = status;
    if (status < 200 || status > 299) {
      this.#errorText = [];
      for (const [name, value] of Object.entries(pick(headers, PASSED_WITH_REFUSAL))) res.setHeader(name, value);
      return collect(this.#errorText, MAX_ERROR_BYTES);
    }
    const isStream = String(headers["content-type"] ?? "").startsWith("text/event-stream");
    const streamHeaders = { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" };
    res.writeHead(status, { ...pick(headers, PASSED_TO_CLIENT), ...(isStream && streamHeaders) });
    res.flushHeaders();
    const tap = isStream ? new EventUsageTap({ onUsage, dropUsageChunk }) : new JsonUsageTap({ onUsage });
    return pacedWriter(res, { pass: (chunk) => tap.feed(chunk), finish: () => tap.end() });
  }

  /** The provider's answer is complete; a refusal is sent only now. */
  finish(): void {
    if (!this.#errorText) return;
    const { provider, res } = this.#call;
    const body = Buffer.concat(this.#errorText).toString("utf8");
    this.#call.onRefusal(refusalNote(provider, this.#status, body));
    const words = refusal(provider, this.#status, body);
    if (words instanceof OpenAIError) throw words;
    res.writeHead(this.#status, { "content-type": "application/json" }).end(words);
  }
}

/** Takes up to `limit` bytes and lets the rest go. */
function collect(into: Buffer[], limit: number): Writable {
  let bytes = 0;
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (bytes < limit) into.push(chunk.subarray(0, limit - bytes));
      bytes += chunk.length;
      done();
    },
  });
}
