import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { WebSocket } from "undici";

/** How an app asks for the gateway. */
export interface Introduction {
  /** `http://` or `ws://` and the gateway's address. */
  url: string;
  /** The gateway's shared token; a passage to the gateway may know it in the app's place. */
  token?: string;
  /** What the gateway gave the app when it was let in. */
  deviceToken?: string;
  /** Of the handshake. */
  headers?: Record<string, string>;
  protocols?: string[];
  scopes: readonly string[];
  displayName?: string;
  /** What it says it is; OpenClaw's command line by default. */
  client?: { id: string; mode: string };
  /** Leaves the proof of its keys out. */
  isAnonymous?: true;
}

/** What came of it: a connection, or the gateway's refusal, with the id of the request when it wants to be asked first. */
export type Admission =
  | { isIn: true; scopes: readonly string[]; deviceToken: string; closed: Promise<number>; close(): void; call: Call }
  | { isIn: false; code: string; requestId: string | undefined };

/** Calls a method of the gateway; answers its payload. */
type Call = (method: string, params?: object) => Promise<unknown>;

/** Frames of OpenClaw's protocol, as far as an app that only comes in reads them. */
interface Frame {
  type: string;
  id?: string;
  event?: string;
  ok?: boolean;
  payload?: { nonce?: string; ts?: number; auth?: { scopes?: string[]; deviceToken?: string } };
  error?: { code: string; details?: { code?: string; requestId?: string } };
}

/** A client of an OpenClaw gateway with keys of its own, as an app on somebody's phone or laptop. */
export class DeviceApp {
  /** The gateway's id of the device: the SHA-256 of its public key. */
  readonly id: string;
  readonly #publicKey: Buffer;
  readonly #privateKey: KeyObject;

  constructor() {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    // The key itself is the end of its DER form.
    this.#publicKey = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
    this.#privateKey = privateKey;
    this.id = createHash("sha256").update(this.#publicKey).digest("hex");
  }

  /** Comes to the door once. Rejects when there is none. */
  connect(introduction: Introduction): Promise<Admission> {
    const { headers = {}, protocols = [] } = introduction;
    const socket = new WebSocket(introduction.url.replace(/^http/, "ws"), { headers, protocols });
    const { promise, resolve, reject } = Promise.withResolvers<Admission>();
    const closed = Promise.withResolvers<number>();
    socket.addEventListener("close", ({ code, reason }) => {
      closed.resolve(code);
      reject(new Error(`the gateway closed: ${code} ${reason}`));
    });
    socket.addEventListener("error", ({ message }) => reject(new Error(message)));
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.event === "connect.challenge") socket.send(JSON.stringify(this.#introduce(introduction, frame)));
      else if (frame.type === "res" && frame.id === CONNECT) resolve(admission(frame, socket, closed.promise));
    });
    return promise;
  }

  /** The first frame, with the proof that the keys are the app's own. */
  #introduce(introduction: Introduction, { payload }: Frame): object {
    const { token, deviceToken, scopes, displayName, client: claimed = { id: "cli", mode: "cli" } } = introduction;
    const { nonce = "", ts = 0 } = payload ?? {};
    const [platform, role] = ["linux", "operator"];
    const secret = token ?? deviceToken ?? "";
    const proven = [
      "v3",
      this.id,
      claimed.id,
      claimed.mode,
      role,
      scopes.join(","),
      String(ts),
      secret,
      nonce,
      platform,
      "",
    ].join("|");
    const device = {
      id: this.id,
      publicKey: this.#publicKey.toString("base64url"),
      signature: sign(null, Buffer.from(proven), this.#privateKey).toString("base64url"),
      signedAt: ts,
      nonce,
    };
    const client = { ...claimed, version: "1.0.0", platform, ...(displayName ? { displayName } : {}) };
    const versions = { minProtocol: 4, maxProtocol: 4 };
    const params = { ...versions, client, role, scopes, caps: [], commands: [], auth: { token, deviceToken } };
    return {
      type: "req",
      id: CONNECT,
      method: "connect",
      params: { ...params, ...(introduction.isAnonymous ? {} : { device }) },
    };
  }
}

/** Id of the first request. */
const CONNECT = "connect";

function callOver(socket: WebSocket): Call {
  let calls = 0;
  return (method, params = {}) => {
    const id = `call-${++calls}`;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    socket.addEventListener("close", ({ code }) =>
      reject(new Error(`closed with ${code} before ${method} was answered`)),
    );
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame.type !== "res" || frame.id !== id) return;
      if (frame.ok) resolve(frame.payload);
      else reject(new Error(`${method}: ${JSON.stringify(frame.error)}`));
    });
    socket.send(JSON.stringify({ type: "req", id, method, params }));
    return promise;
  };
}

function admission({ ok, payload, error }: Frame, socket: WebSocket, closed: Promise<number>): Admission {
  const { scopes = [], deviceToken = "" } = payload?.auth ?? {};
  if (ok) return { isIn: true, scopes, deviceToken, closed, close: () => socket.close(), call: callOver(socket) };
  socket.close();
  const { code = "", requestId } = error?.details ?? {};
  return { isIn: false, code: code || (error?.code ?? ""), requestId };
}
