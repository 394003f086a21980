import { secretsEqual } from "#lib/keys.ts";
import { ApiError } from "../errors.ts";
import { type Authenticator, unauthorized } from "./authenticator.ts";
import { type DistinctHeaders, INTERNAL_KEY_HEADER } from "./credential-headers.ts";
import { normalizeEmail } from "./email.ts";
import { ALL_SCOPES } from "./scopes.ts";

/** Header naming the user a first-party server acts for. */
export const USER_ID_HEADER = "x-oa-user-id";
/** Header with the user's e-mail address, which the first-party server vouches for. */
export const USER_EMAIL_HEADER = "x-oa-user-email";

/** Visible ASCII: a header can carry nothing else unharmed, and a joined duplicate ("a, b") never passes for an id. */
const USER_ID = /^[\x21-\x7e]{1,256}$/;

/** First-party servers: the shared key, and the id of the user they act for. Needs `keysReady()`. */
export function internalKeyAuthenticator(internalKey: string): Authenticator {
  return {
    scheme: "internal-key",
    async authenticate(headers) {
      const keys = headers[INTERNAL_KEY_HEADER];
      if (!keys) return undefined;
      const [key = ""] = keys;
      if (keys.length > 1 || !secretsEqual(key, internalKey)) throw unauthorized("wrong internal key");
      const email = userEmail(headers);
      return {
        scheme: "internal-key",
        tenant: { kind: "Human", subject: userId(headers[USER_ID_HEADER]) },
        scopes: ALL_SCOPES,
        ...(email === undefined ? {} : { email }),
      };
    },
  };
}

function userId(values: string[] | undefined): string {
  const [value = ""] = values ?? [];
  if (value === "") throw new ApiError("missing_user_id", "missing user id (header X-OA-User-Id)");
  if (values?.length !== 1 || !USER_ID.test(value)) {
    throw new ApiError("invalid_request", "X-OA-User-Id: expected once, 1 to 256 visible ASCII characters");
  }
  return value;
}

function userEmail(headers: DistinctHeaders): string | undefined {
  const [value, ...more] = headers[USER_EMAIL_HEADER] ?? [];
  if (value === undefined) return undefined;
  const email = more.length > 0 ? undefined : normalizeEmail(value);
  if (!email) throw new ApiError("invalid_request", "X-OA-User-Email: expected one e-mail address");
  return email;
}
