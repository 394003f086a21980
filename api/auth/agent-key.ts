import type { CredentialVerifier } from "../credentials/verifier.ts";
import type { Authenticator } from "./authenticator.ts";
import { AGENT_KEY_HEADER, authorizationOf } from "./credential-headers.ts";

/** Agents' keys: `X-OA-Agent-Key: oak_live_...` or `Authorization: Agent oak_live_...`. */
export function agentKeyAuthenticator(credentials: CredentialVerifier): Authenticator {
  return {
    scheme: "agent-key",
    async authenticate(headers, freshness) {
      const key = headers[AGENT_KEY_HEADER]?.[0] ?? authorizationOf(headers, "Agent");
      return key === undefined ? undefined : credentials.verify("agent-key", key, freshness);
    },
  };
}
