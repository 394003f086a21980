import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createPki } from "#test/cluster/pki.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createDocumentFetcher } from "./oidc-document.ts";

let work: string;
let server: Server;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "hatchery-oidc-"));
  // A name, and no address: what is asked for by address has the wrong certificate.
  await createPki(join(work, "own"), [{ name: "issuer", commonName: "issuer", altNames: ["DNS:localhost"] }]);
  await createPki(join(work, "other"), []);
  const file = (name: string) => readFileSync(join(work, "own", name));
  server = createServer({ cert: file("issuer.crt"), key: file("issuer.key") }, (_req, res) => res.end('{"a":1}'));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(work, { recursive: true });
});

async function get(host: string, authority?: string): Promise<unknown> {
  const caFile = authority && join(work, authority, "ca.crt");
  const { fetchDocument, close } = createDocumentFetcher({ clock: new ManualClock(), caFile });
  try {
    return await fetchDocument(`https://${host}:${(server.address() as AddressInfo).port}/`);
  } finally {
    await close();
  }
}

it("takes documents from whom a trusted authority vouches for", async () => {
  expect(await get("localhost", "own")).toEqual({ a: 1 });
});

it.each([
  ["an authority nobody knows", "localhost", undefined, /certificate/],
  ["another authority", "localhost", "other", /certificate/],
  ["another name", "127.0.0.1", "own", /altnames/],
])("takes none with %s", async (_name, host, authority, why) => {
  await expect(get(host, authority)).rejects.toThrow(why);
});

it("does not begin with a file that is not there", () => {
  expect(() => createDocumentFetcher({ clock: new ManualClock(), caFile: join(work, "none") })).toThrow("ENOENT");
});
