import { API_TOKEN_PREFIX } from "../credentials/secret.ts";
import type { CredentialVerifier } from "../credentials/verifier.ts";
import type { Authenticator } from "./authenticator.ts";
import { API_TOKEN_HEADER, authorizationOf } from "./credential-headers.ts";

/** API tokens: `x-api-key: oa_live_...` or `Authorization: Bearer oa_live_...`. They act for their owner. */
export function apiTokenAuthenticator(credentials: CredentialVerifier): Authenticator {
  return {
    scheme: "api-token",
    async authenticate(headers, freshness) {
      const bearer = authorizationOf(headers, "Bearer");
      const token = headers[API_TOKEN_HEADER]?.[0] ?? (isApiToken(bearer) ? bearer : undefined);
      return token === undefined ? undefined : credentials.verify("api-token", token, freshness);
    },
  };
}

/** True for a bearer token that is meant to be an API token, whether it is one or not; every other one is an identity provider's. */
export function isApiToken(bearer: string | undefined): bearer is string {
  return bearer?.startsWith(API_TOKEN_PREFIX) ?? false;
}
