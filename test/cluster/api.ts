import { readFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";
import { waitFor } from "./wait.ts";

/** Just enough of a client to bring a cluster up: a kubectl a question would keep a core busy with starting kubectl. */
export interface Api {
  /** Body of an answer; undefined when there is no such object. Throws on any other status than 2xx. */
  get(path: string): Promise<string | undefined>;
  /** Creates an object; fine when it exists. */
  create(path: string, object: object): Promise<void>;
  /** Waits until the apiserver says that it is ready. */
  ready(signal: AbortSignal): Promise<void>;
}

/** An object to create, and the collection it is created in. Kind and version follow from that. */
export interface Manifest {
  path: string;
  object: object;
}

/** A client for the apiserver at `url`; `ca` is a path. */
export async function connectApi(o: { url: string; token: string; ca: string }): Promise<Api> {
  const agent = new Agent({ ca: await readFile(o.ca, "utf8") });
  const call = (method: string, path: string, body?: object) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const headers = { authorization: `Bearer ${o.token}`, "content-type": "application/json" };
      const sent = request(`${o.url}${path}`, { method, agent, headers }, (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode ?? 0, body: answer }), reject);
      });
      sent.once("error", reject).end(body ? JSON.stringify(body) : "");
    });
  const check = ({ status, body }: { status: number; body: string }, what: string) => {
    if (status < 200 || status > 299) throw new Error(`${what}: ${status} ${body.slice(0, 500)}`);
    return body;
  };
  return {
    async get(path) {
      const answer = await call("GET", path);
      return answer.status === 404 ? undefined : check(answer, path);
    },
    async create(path, object) {
      const answer = await call("POST", path, object);
      if (answer.status !== 409) check(answer, path);
    },
    async ready(signal) {
      await waitFor(`${o.url}/readyz`, async () => (await call("GET", "/readyz")).body === "ok", { signal });
    },
  };
}
