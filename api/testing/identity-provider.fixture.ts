import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK } from "jose";
import Provider from "oidc-provider";
import { type Dispatcher, request } from "undici";
import type { SigningKey } from "./issuer.fixture.ts";

const CLIENT = "console";
const CALLBACK = "https://console.example.org/callback";
/** Steps of a sign-in are half a dozen; more is a circle. */
const MAX_STEPS = 20;

/** A certified OpenID provider on 127.0.0.1, with a public client, PKCE and access tokens that are JWTs. */
export interface IdentityProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Signs somebody in as a browser would, and answers an access token for the resource. */
  signIn(user: string, resource: string): Promise<string>;
  /** Signs with this key from now on, and publishes no other. */
  rotate(key: SigningKey): Promise<void>;
}

/** Starts one that signs with this key; each user's verified address is `<user>@example.org`, and the one group `<user>s`. */
export async function startIdentityProvider(first: SigningKey): Promise<IdentityProvider> {
  let handle: RequestListener = () => undefined;
  const server = createServer((req: IncomingMessage, res: ServerResponse) => handle(req, res)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rotate = async (key: SigningKey) => {
    const answer = (await createProvider(issuer, key)).callback();
    handle = (req, res) => void answer(req, res);
  };
  await rotate(first);
  return {
    issuer,
    rotate,
    signIn: (user, resource) => signIn(issuer, user, resource),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function createProvider(issuer: string, key: SigningKey): Promise<Provider> {
  const { alg, kid } = key;
  return new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT,
        token_endpoint_auth_method: "none",
        redirect_uris: [CALLBACK],
        grant_types: ["authorization_code"],
        response_types: ["code"],
        id_token_signed_response_alg: "ES256",
      },
    ],
    cookies: { keys: [randomBytes(16).toString("hex")] },
    jwks: { keys: [{ ...(await exportJWK(key.privateKey)), alg, kid, use: "sig" } as never] },
    pkce: { required: () => true },
    findAccount: (_context, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    extraTokenClaims: (_context, token) =>
      "accountId" in token
        ? { email: `${token.accountId}@example.org`, email_verified: true, groups: [`${token.accountId}s`] }
        : undefined,
    ttl: { AccessToken: 600, IdToken: 600, Session: 600, Interaction: 600, Grant: 600 },
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => ({
          scope: "",
          audience: resource,
          accessTokenTTL: 600,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  });
}

/** The authorization code flow with PKCE (RFC 7636) and a resource indicator (RFC 8707). */
async function signIn(issuer: string, user: string, resource: string): Promise<string> {
  const verifier = randomBytes(32).toString("base64url");
  const code = await obtainCode(issuer, user, {
    client_id: CLIENT,
    response_type: "code",
    redirect_uri: CALLBACK,
    scope: "openid",
    resource,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const form = { grant_type: "authorization_code", code, redirect_uri: CALLBACK, client_id: CLIENT, resource };
  const { body } = await post(`${issuer}/token`, { ...form, code_verifier: verifier });
  const answer = (await body.json()) as { access_token?: string };
  if (answer.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`);
  return answer.access_token;
}

/** Follows redirects with a browser's cookies, and fills in the forms for login and consent, until the client gets its code. */
async function obtainCode(issuer: string, user: string, query: Record<string, string>): Promise<string> {
  const cookies = new Map<string, string>();
  let url = new URL(`${issuer}/auth?${new URLSearchParams(query).toString()}`);
  for (let step = 0; step < MAX_STEPS; step++) {
    if (url.href.startsWith(CALLBACK)) return url.searchParams.get("code") ?? fail(`no code at ${url.href}`);
    const page = await visit(url, cookies);
    const prompt = /name="prompt" value="(\w+)"/.exec(page.text)?.[1];
    const sent = prompt ? await visit(url, cookies, { prompt, login: user, password: "any" }) : page;
    url = new URL(sent.location ?? fail(`${url.href} leads nowhere: ${sent.text}`), url);
  }
  return fail("signing in goes round in circles");
}

async function visit(url: URL, cookies: Map<string, string>, form?: Record<string, string>) {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const { headers, body } = await (form ? post(url.href, form, { cookie }) : request(url, { headers: { cookie } }));
  for (const line of [headers["set-cookie"] ?? []].flat()) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === "") cookies.delete(name);
    else cookies.set(name, value);
  }
  const { location } = headers;
  return { location: typeof location === "string" ? location : undefined, text: await body.text() };
}

function post(url: string, form: Record<string, string>, headers = {}): Promise<Dispatcher.ResponseData> {
  return request(url, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams(form).toString(),
  });
}

function fail(message: string): never {
  throw new Error(message);
}
