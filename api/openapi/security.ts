import { CONTROL_KEY_HEADER } from "../auth/control-key.ts";
import { AGENT_KEY_HEADER, API_TOKEN_HEADER, INTERNAL_KEY_HEADER } from "../auth/credential-headers.ts";
import type { Scheme } from "../auth/identity.ts";
import { USER_EMAIL_HEADER, USER_ID_HEADER } from "../auth/internal-key.ts";
import type { Route } from "../http/route.ts";

/** How each kind of credential is sent, by the name it has in the document. */
const BY_SCHEME: Readonly<Record<Scheme, Readonly<Record<string, object>>>> = {
  "internal-key": {
    internalKey: {
      type: "apiKey",
      in: "header",
      name: INTERNAL_KEY_HEADER,
      description: `The key shared with first-party servers; if it is present it decides. \`${USER_EMAIL_HEADER}\` may say the user's verified e-mail address.`,
    },
    userId: {
      type: "apiKey",
      in: "header",
      name: USER_ID_HEADER,
      description: "Beside the internal key: the user it acts for, 1 to 256 visible ASCII characters.",
    },
  },
  oidc: {
    oidc: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: "An access token of an identity provider that the server is configured to trust.",
    },
  },
  "api-token": {
    apiToken: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "oa_live_...",
      description: "An API token, as `api_key` of OpenAI's SDKs sends it.",
    },
    apiTokenHeader: { type: "apiKey", in: "header", name: API_TOKEN_HEADER, description: "The same API token." },
  },
  "agent-key": {
    agentKey: {
      type: "apiKey",
      in: "header",
      name: AGENT_KEY_HEADER,
      description: "The key of an agent; `Authorization: Agent <key>` is the same.",
    },
  },
};

/** Of the internal listener. */
const CONTROL = {
  controlKey: {
    type: "apiKey",
    in: "header",
    name: CONTROL_KEY_HEADER,
    description: "The key of the internal listener, for first-party servers that name the user themselves.",
  },
};

/** `components.securitySchemes` of a server that knows these kinds of credentials and routes. */
export function securitySchemes(schemes: readonly Scheme[], routes: readonly Route[]): Record<string, object> {
  const control = routes.some(({ access }) => access === "control") ? CONTROL : {};
  return Object.assign({}, ...schemes.map((scheme) => BY_SCHEME[scheme]), control);
}

/** The credentials of which a route wants one, each with the scope it must have; none for a public route. */
export function securityOf(route: Route, schemes: readonly Scheme[]): Record<string, string[]>[] {
  if (route.access === "public") return [];
  if (route.access === "control") return [{ controlKey: [] }];
  const roles = route.scope === null ? [] : [route.scope];
  return schemes
    .filter((scheme) => scheme !== "agent-key" || !(route.humansOnly || route.access === "admin"))
    .flatMap((scheme) =>
      scheme === "internal-key"
        ? [{ internalKey: roles, userId: [] }]
        : Object.keys(BY_SCHEME[scheme]).map((name) => ({ [name]: roles })),
    );
}
