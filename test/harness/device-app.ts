import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { WebSocket } from "undici";

/** How an app asks for the gateway. */
export interface Introduction {
  /** `http://` or `ws://` and the gateway's address. */
  url: string;
  token: string;
  scopes: readonly string[];
  displayName?: string;
}

/** What came of it: a connection, or the gateway's refusal, with the id of the request when it wants to be asked first. */
export type Admission =
  | { isIn: true; scopes: readonly string[]; closed: Promise<number>; close(): void }
  | { isIn: false; code: string; requestId: string | undefined };

/** Frames of OpenClaw's protocol, as far as an app that only comes in reads them. */
interface Frame {
  type: string;
  event?: string;
  ok?: boolean;
  payload?: { nonce?: string; ts?: number; auth?: { scopes?: string[] } };
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
    const socket = new WebSocket(introduction.url.replace(/^http/, "ws"));
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
      else if (frame.type === "res") resolve(admission(frame, socket, closed.promise));
    });
    return promise;
  }

  /** The first frame, with the proof that the keys are the app's own. */
  #introduce({ token, scopes, displayName }: Introduction, { payload }: Frame): object {
    const { nonce = "", ts = 0 } = payload ?? {};
    const [platform, name, role] = ["linux", "cli", "operator"];
    const proven = ["v3", this.id, name, name, role, scopes.join(","), String(ts), token, nonce, platform, ""].join(
      "|",
    );
    const device = {
      id: this.id,
      publicKey: this.#publicKey.toString("base64url"),
      signature: sign(null, Buffer.from(proven), this.#privateKey).toString("base64url"),
      signedAt: ts,
      nonce,
    };
    const client = { id: name, version: "1.0.0", platform, mode: name, ...(displayName ? { displayName } : {}) };
    const versions = { minProtocol: 4, maxProtocol: 4 };
    const params = { ...versions, client, role, scopes, caps: [], commands: [], auth: { token }, device };
    return { type: "req", id: "1", method: "connect", params };
  }
}

function admission({ ok, payload, error }: Frame, socket: WebSocket, closed: Promise<number>): Admission {
  if (ok) return { isIn: true, scopes: payload?.auth?.scopes ?? [], closed, close: () => socket.close() };
  socket.close();
  const { code = "", requestId } = error?.details ?? {};
  return { isIn: false, code: code || (error?.code ?? ""), requestId };
}
