/** Request headers with each occurrence apart (`IncomingMessage.headersDistinct`), so that a doubled credential is seen. */
export type DistinctHeaders = Readonly<Record<string, string[] | undefined>>;

/** Header of the key shared with first-party servers. */
export const INTERNAL_KEY_HEADER = "x-oa-internal-key";
/** Header of an agent's key. */
export const AGENT_KEY_HEADER = "x-oa-agent-key";
/** Header of an API token. */
export const API_TOKEN_HEADER = "x-api-key";

/** Every header that holds a credential of somebody other than a first-party server. */
const CREDENTIAL_HEADERS = ["authorization", API_TOKEN_HEADER, AGENT_KEY_HEADER];

/** How many credentials are in a request, the internal key aside; the same one twice counts twice. */
export function countCredentials(headers: DistinctHeaders): number {
  return CREDENTIAL_HEADERS.reduce((count, name) => count + (headers[name]?.length ?? 0), 0);
}

/** What follows the word in `Authorization: <word> <value>`, in whatever case the word is; undefined when there is no such header. */
export function authorizationOf(headers: DistinctHeaders, word: "Bearer" | "Agent"): string | undefined {
  const [given = ""] = headers.authorization ?? [];
  const [, first = "", value = ""] = /^(\S+) +(\S+)$/.exec(given) ?? [];
  return first.toLowerCase() === word.toLowerCase() ? value : undefined;
}
