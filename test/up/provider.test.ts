import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { isLoopback, readProvider, requireReachable, routeProvider } from "./provider.ts";

const ALL = { MODEL_BASE_URL: "https://models.example.org/v1", MODEL_API_KEY: "sk-1", MODEL_NAME: "large" };

describe("readProvider", () => {
  it("is the simulated one when nothing is said", () => {
    expect(readProvider({})).toBeUndefined();
    expect(readProvider({ MODEL_BASE_URL: "", MODEL_API_KEY: "", MODEL_NAME: "" })).toBeUndefined();
  });

  it("takes all three", () => {
    const { MODEL_BASE_URL: baseUrl, MODEL_API_KEY: apiKey, MODEL_NAME: model } = ALL;
    expect(readProvider(ALL)).toEqual({ baseUrl, apiKey, model });
  });

  it.each([
    [{ ...ALL, MODEL_NAME: "" }, /^MODEL_NAME must be set too/],
    [{ MODEL_API_KEY: "sk-1" }, /^MODEL_BASE_URL and MODEL_NAME must be set too/],
    [{ ...ALL, MODEL_BASE_URL: "models.example.org/v1" }, /^MODEL_BASE_URL is "models.example.org\/v1"/],
    [{ ...ALL, MODEL_BASE_URL: "localhost:11434" }, /^MODEL_BASE_URL is "localhost:11434"/],
  ])("refuses %j", (env, message) => {
    expect(() => readProvider(env)).toThrow(message);
  });
});

describe("the way to a provider from a cluster of ours", () => {
  const INSIDE = "model-provider.internal";

  it.each([
    ["https://models.example.org/v1", "models.example.org", "models.example.org:443"],
    ["http://models.example.org/v1", "models.example.org", "models.example.org:80"],
    ["http://box:8000/v1", "box", "box:8000"],
  ])("leads out under the name in %s", (baseUrl, name, target) => {
    expect(routeProvider(baseUrl)).toEqual({ baseUrl, outside: { name, target } });
  });

  it.each([
    ["http://localhost:11434/v1", `http://${INSIDE}:11434/v1`, "localhost:11434"],
    ["http://127.0.0.1:8000/v1", `http://${INSIDE}:8000/v1`, "127.0.0.1:8000"],
    ["http://[::1]:8000/v1", `http://${INSIDE}:8000/v1`, "[::1]:8000"],
    ["http://192.168.7.7/v1", `http://${INSIDE}/v1`, "192.168.7.7:80"],
  ])("gives %s a name", (baseUrl, inside, target) => {
    expect(routeProvider(baseUrl)).toEqual({ baseUrl: inside, outside: { name: INSIDE, target } });
  });

  it.each(["http://vllm.models.svc:8000/v1", "http://vllm.models.svc.cluster.local:8000/v1"])(
    "stays inside for %s",
    (baseUrl) => {
      expect(routeProvider(baseUrl)).toEqual({ baseUrl });
    },
  );

  it("refuses https where no certificate could be right", () => {
    expect(() => routeProvider("https://127.0.0.1:8443/v1")).toThrow(/needs the name in the certificate/);
  });
});

it.each([
  ["http://localhost:1/v1", true],
  ["http://a.localhost/v1", true],
  ["http://127.1.2.3/v1", true],
  ["http://[::1]:1/v1", true],
  ["http://192.168.7.7/v1", false],
  ["https://127.example.org/v1", false],
  ["https://models.example.org/v1", false],
])("knows whether %s is the machine itself: %s", (baseUrl, expected) => {
  expect(isLoopback(baseUrl)).toBe(expected);
});

it("says which address this machine does not get to, and why", async () => {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await requireReachable(`localhost:${port}`);
  server.close();
  await once(server, "close");
  await expect(requireReachable(`127.0.0.1:${port}`)).rejects.toThrow(
    `MODEL_BASE_URL: this machine has no direct way to 127.0.0.1:${port}: ECONNREFUSED`,
  );
});
