import { CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { type ScriptedGateway, sendJson, startScriptedGateway } from "./scripted-gateway.ts";

/** A key pair of an issuer. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  /** As it is published. */
  readonly publicJwk: JWK;
}

/** Makes a key pair. */
export async function newSigningKey(kid: string, alg = "ES256"): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** Signs claims, whatever they are. */
export function signToken(key: SigningKey, claims: object, header: object = {}): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "at+jwt", ...header })
    .sign(key.privateKey);
}

/** Signs a payload that is no set of claims. */
export function signBytes(key: SigningKey, payload: string): Promise<string> {
  return new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey);
}

/** A token put together by hand. */
export function forgeToken(header: object, claims: object, signature = ""): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part(header)}.${part(claims)}.${signature}`;
}

/** A real HTTP server on 127.0.0.1 that publishes a discovery document and keys. */
export interface TestIssuer extends AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for. */
  asked(): string[];
  publish(keys: readonly JWK[]): void;
  /** Answers in place of the issuer. */
  readonly server: ScriptedGateway;
}

/** Path of the keys of a {@link TestIssuer}. */
export const KEYS_PATH = "/keys";

/** Starts one that publishes these keys. */
export async function startIssuer(...keys: SigningKey[]): Promise<TestIssuer> {
  const server = await startScriptedGateway();
  const url = server.origin;
  const publish = (published: readonly JWK[]) =>
    server.on(({ path }, res) => {
      if (path === KEYS_PATH) return sendJson(res, 200, { keys: published });
      if (path === "/.well-known/openid-configuration") {
        return sendJson(res, 200, { issuer: url, jwks_uri: `${url}${KEYS_PATH}` });
      }
      sendJson(res, 404, {});
    });
  publish(keys.map(({ publicJwk }) => publicJwk));
  return {
    url,
    server,
    publish,
    asked: () => server.seen.map(({ path }) => path),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
