import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { GatewayAgent } from "./pool.ts";

let agent: GatewayAgent;
beforeEach(() => {
  agent = new GatewayAgent();
});
afterEach(() => agent.destroy());

/** A gateway that answers when it is told to, and how many connections were made to it. */
async function startGateway(o: { keepAliveTimeout?: number } = {}) {
  const asked: ServerResponse[] = [];
  const server: Server = createServer(o, (req, res) => {
    if (req.url === "/later") asked.push(res);
    else res.end("now");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  let connections = 0;
  server.on("connection", () => {
    connections += 1;
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, asked, server, connections: () => connections };
}

async function call(origin: string, path = "/"): Promise<string> {
  const { body } = await agent.request({ origin, path, method: "GET" });
  const text = await body.text();
  // undici lends a connection again in the next turn of the event loop, in case the server closes it after all.
  await setImmediate();
  await setImmediate();
  return text;
}

it("uses a connection again that is free", async () => {
  const gateway = await startGateway();
  for (let count = 0; count < 3; count++) expect(await call(gateway.origin)).toBe("now");
  expect([gateway.connections(), agent.size]).toEqual([1, 1]);
});

it("lets no call wait for another", async () => {
  const gateway = await startGateway();
  const slow = [call(gateway.origin, "/later"), call(gateway.origin, "/later")];
  await eventually(() => gateway.asked.length).toBe(2);
  expect(await call(gateway.origin)).toBe("now");
  expect(agent.size).toBe(3);
  for (const res of gateway.asked) res.end("later");
  expect(await Promise.all(slow)).toEqual(["later", "later"]);
  for (let count = 0; count < 3; count++) await call(gateway.origin);
  expect(gateway.connections()).toBe(3);
});

it("keeps gateways apart", async () => {
  const [one, other] = [await startGateway(), await startGateway()];
  await Promise.all([call(one.origin), call(other.origin)]);
  await Promise.all([call(one.origin), call(other.origin)]);
  expect([one.connections(), other.connections()]).toEqual([1, 1]);
});

it("forgets a connection that the gateway ends, and makes another", async () => {
  const gateway = await startGateway();
  await call(gateway.origin);
  gateway.server.closeAllConnections();
  await eventually(() => agent.size).toBe(0);
  expect(await call(gateway.origin)).toBe("now");
  expect(gateway.connections()).toBe(2);
});

it("forgets a connection that a call was aborted on", async () => {
  const gateway = await startGateway();
  const gone = new AbortController();
  const aborted = agent.request({ origin: gateway.origin, path: "/later", method: "GET", signal: gone.signal });
  await eventually(() => gateway.asked.length).toBe(1);
  gone.abort();
  await expect(aborted).rejects.toThrow("abort");
  await eventually(() => agent.size).toBe(0);
});

it("keeps nothing of a gateway that is not there", async () => {
  const gateway = await startGateway();
  gateway.server.close();
  await once(gateway.server, "close");
  await expect(call(gateway.origin)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await eventually(() => agent.size).toBe(0);
});

it("ends calls and takes no more once it is destroyed", async () => {
  const gateway = await startGateway();
  const open = call(gateway.origin, "/later");
  await eventually(() => gateway.asked.length).toBe(1);
  const failed = expect(open).rejects.toThrow("destroyed");
  await agent.destroy();
  await failed;
  await expect(call(gateway.origin)).rejects.toThrow("closed");
});
