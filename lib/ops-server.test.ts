import { connect } from "node:net";
import { pino } from "pino";
import { Counter, Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Check, createOpsServer, type OpsServer } from "./ops-server.ts";

const log = pino({ level: "silent" });

describe("ops server", () => {
  const registry = new Registry();
  new Counter({ name: "things_total", help: "Things.", registers: [registry] }).inc(3);
  let wrong: string | undefined;
  let checks: Record<string, Check>;
  let server: OpsServer;
  let url: string;

  beforeEach(async () => {
    wrong = undefined;
    checks = { database: () => wrong, cache: () => undefined };
    server = createOpsServer({ port: 0, host: "127.0.0.1", registry, checks, log });
    url = `http://127.0.0.1:${(await server.listen()).port}`;
  });

  afterEach(async () => server.close());

  async function readyz(): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${url}/readyz`);
    return { status: response.status, body: await response.json() };
  }

  it("is alive at once and ready when told", async () => {
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect(await readyz()).toEqual({
      status: 503,
      body: { ready: false, checks: { process: "starting", database: "ok", cache: "ok" } },
    });
    server.setReady(false);
    expect((await readyz()).body).toMatchObject({ checks: { process: "starting" } });
    server.setReady(true);
    expect(await readyz()).toMatchObject({ status: 200, body: { ready: true, checks: { process: "ok" } } });
    server.setReady(false);
    expect(await readyz()).toMatchObject({ status: 503, body: { checks: { process: "stopping" } } });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it("names the dependency that fails, and recovers with it", async () => {
    server.setReady(true);
    wrong = "no connection for 12 s";
    expect(await readyz()).toEqual({
      status: 503,
      body: { ready: false, checks: { process: "ok", database: "no connection for 12 s", cache: "ok" } },
    });
    wrong = undefined;
    expect((await readyz()).status).toBe(200);
  });

  it("takes a check that throws for a failed one and tells no details", async () => {
    server.setReady(true);
    checks.cache = () => {
      throw new Error("token=abc");
    };
    const { status, body } = await readyz();
    expect(status).toBe(503);
    expect(JSON.stringify(body)).toContain("the check itself failed");
    expect(JSON.stringify(body)).not.toContain("abc");
  });

  it("serves the metrics with their content type, and nothing where there is nothing", async () => {
    const response = await fetch(`${url}/metrics?x=1`);
    expect(response.headers.get("content-type")).toContain("text/plain; version=0.0.4");
    expect(await response.text()).toContain("things_total 3");
    expect((await fetch(`${url}/metrics`, { method: "HEAD" })).status).toBe(200);
    expect((await fetch(`${url}/metrics`, { method: "POST" })).status).toBe(405);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/constructor`)).status).toBe(404);
  });

  it("answers 500 when the metrics cannot be had, and lives on", async () => {
    const broken = new Registry();
    new Counter({
      name: "broken_total",
      help: "Breaks.",
      registers: [broken],
      collect() {
        throw new Error("no");
      },
    });
    const other = createOpsServer({ port: 0, host: "127.0.0.1", registry: broken, checks: {}, log });
    const { port } = await other.listen();
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(500);
    expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
    await other.close();
  });

  it("says which port it could not have", async () => {
    const port = Number(new URL(url).port);
    const second = createOpsServer({ port, host: "127.0.0.1", registry, checks: {}, log });
    await expect(second.listen()).rejects.toThrow(`cannot listen on port ${port}`);
    await second.close();
  });

  it("closes although a client keeps its connection", async () => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await server.close();
    await closed;
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
    server = createOpsServer({ port: 0, host: "127.0.0.1", registry, checks, log });
    await server.listen();
  });
});
