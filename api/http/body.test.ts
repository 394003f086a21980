import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createByteBudget } from "../limit/byte-budget.ts";
import { readJsonBody } from "./body.ts";

it("a body whose client has left already is not waited for, and holds nothing", async () => {
  const calls = Promise.withResolvers<{ req: IncomingMessage; res: ServerResponse }>();
  const server = createServer((req, res) => calls.resolve({ req, res })).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const sent = request({ port, host: "127.0.0.1", method: "POST", headers: { "content-length": 100 }, agent: false });
  sent.once("error", () => undefined);
  sent.write("{");
  const call = await calls.promise;
  const left = once(call.res, "close");
  sent.destroy();
  await left;
  const budget = createByteBudget({ total: 100, perOwner: 100 });
  const options = { clock: new ManualClock(), budget, owner: "human:alice", limitBytes: 1000 };
  await expect(readJsonBody(call, options)).rejects.toMatchObject({ code: "client_gone" });
  budget.open("human:alice").cover(100);
  server.close();
});
