import { readFile } from "node:fs/promises";
import { get } from "node:https";
import { text } from "node:stream/consumers";
import { waitFor } from "./wait.ts";

/** Waits until the apiserver at `url` says that it is ready; `ca` is a path. */
export async function apiserverReady(o: {
  url: string;
  token: string;
  ca: string;
  signal?: AbortSignal;
}): Promise<void> {
  const ca = await readFile(o.ca, "utf8");
  const ask = () =>
    new Promise<string>((resolve, reject) => {
      const headers = { authorization: `Bearer ${o.token}` };
      get(`${o.url}/readyz`, { ca, headers, agent: false }, (response) => {
        text(response).then(resolve, reject);
      }).once("error", reject);
    });
  await waitFor(`${o.url}/readyz`, async () => (await ask()) === "ok", o.signal ? { signal: o.signal } : {});
}
