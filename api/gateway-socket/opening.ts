import { randomBytes } from "node:crypto";
import {
  AGENT_KEY_HEADER,
  API_TOKEN_HEADER,
  type DistinctHeaders,
  INTERNAL_KEY_HEADER,
} from "../auth/credential-headers.ts";
import { CLOSE_CODE, OPCODE } from "./frame-header.ts";
import { encodeFrame, MAX_PAYLOAD_BYTES } from "./frames.ts";
import { introduce } from "./introduction.ts";
import { MAX_OPENING_BYTES, OpeningError, OpeningReader } from "./opening-reader.ts";
import type { OpeningStep } from "./relay.ts";

/** Headers in which callers prove who they are. */
const CREDENTIAL_HEADERS = ["authorization", API_TOKEN_HEADER, INTERNAL_KEY_HEADER, AGENT_KEY_HEADER] as const;

/**
 * The beginning of a client's conversation: what it says is held back until its connect request is whole, and that goes on with the
 * gateway's token in it. Pings pass as they come.
 * @param headers of the client's handshake: no credential in them may reach the pod.
 */
export function startOpening(token: string, headers: DistinctHeaders): (chunk: Buffer) => OpeningStep {
  const reader = new OpeningReader();
  const presented = presentedCredentials(headers);
  return (chunk) => {
    const { passed, message, rest } = reader.push(chunk);
    if (!message) return { toGateway: passed, isOver: false };
    const introduced = Buffer.from(introduce(message, token, presented));
    // Numbers can be longer than they were written.
    if (introduced.length > MAX_PAYLOAD_BYTES) {
      throw new OpeningError(CLOSE_CODE.tooBig, `the first message is over the limit of ${MAX_OPENING_BYTES} bytes`);
    }
    const frame = encodeFrame(OPCODE.text, introduced, randomBytes(4));
    return { toGateway: [...passed, frame, ...(rest?.length ? [rest] : [])], isOver: true };
  };
}

/** Each credential with and without the word before it. */
function presentedCredentials(headers: DistinctHeaders): string[] {
  const values = CREDENTIAL_HEADERS.flatMap((name) => headers[name] ?? []);
  return values.flatMap((value) => [value, value.split(" ").at(-1) ?? ""]).filter((value) => value !== "");
}
