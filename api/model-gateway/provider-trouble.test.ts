import { describe, expect, it } from "vitest";
import { modelKey } from "#lib/keys.ts";
import {
  ask,
  callLogged,
  client,
  collect,
  gateway,
  PROVIDER_KEY,
  provider,
  refused,
  restartGateway,
  ring,
  serve,
  simulator,
  slot,
  streamed,
  useGateway,
} from "./gateway.fixture.ts";

useGateway();

describe("trouble at the provider", () => {
  it.each([400, 404, 429, 500, 503])("keeps its status %i and its words", async (status) => {
    const error = await refused(client().chat.completions.create(streamed(`STATUS:${status}`)));
    expect(error).toMatchObject({ status, code: "simulated" });
    expect(error.message).toContain(`simulated status ${status}`);
    expect(await callLogged()).toMatchObject([{ code: status, cause: expect.stringContaining("simulated status") }]);
  });

  it("says that the credential was refused without the provider's words about it", async () => {
    await restartGateway([provider({ apiKey: "sk-outdated" })]);
    const error = await refused(client().chat.completions.create(ask("hi")));
    expect(error).toMatchObject({ status: 401, code: "provider_credential_refused" });
    expect(error.message).toContain("main");
    expect(await callLogged()).toMatchObject([{ code: 401, cause: expect.stringContaining("Incorrect API key") }]);
  });

  it("is not hidden by asking another one", async () => {
    const odd = await serve((_req, res) => res.writeHead(401).end());
    await restartGateway([provider({ baseUrl: odd.url }), provider({ name: "other" })]);
    expect(await refused(client().chat.completions.create(ask("hi")))).toMatchObject({ status: 401 });
    expect(simulator.stats().total).toBe(0);
    odd.server.close();
  });

  it("answers 502 when it can't be reached or is not configured", async () => {
    expect(await refused(client().chat.completions.create(ask("hi", "standard/elsewhere")))).toMatchObject({
      status: 502,
      code: "provider_unreachable",
    });
    expect(await callLogged()).toMatchObject([{ code: 502, cause: expect.stringContaining("ECONNREFUSED") }]);
    expect(await refused(client().chat.completions.create(ask("hi", "standard/unconfigured")))).toMatchObject({
      status: 502,
      code: "provider_not_configured",
    });
  });

  it("cuts the client's stream where the provider's broke off", async () => {
    const words: string[] = [];
    const read = async () => {
      for await (const chunk of await client().chat.completions.create(streamed("DROP")))
        words.push(chunk.choices[0]?.delta.content ?? "");
    };
    await expect(read()).rejects.toThrow();
    expect(words.join("")).toBe("partial answer ");
    expect(await callLogged()).toMatchObject([{ code: 502, cause: expect.stringContaining("provider_unreachable") }]);
  });

  it("answers 502 when it breaks off before it answered", async () => {
    const error = await refused(client().chat.completions.create(ask("DROP")));
    expect(error).toMatchObject({ status: 502, code: "provider_unreachable" });
  });

  it("answers 504 when it stays silent, and cuts a stream that falls silent", async () => {
    await restartGateway([provider({ timeoutMs: 200 })]);
    const error = await refused(client().chat.completions.create(ask("HANGHEAD")));
    expect(error).toMatchObject({ status: 504, code: "provider_timeout" });
    await expect(client().chat.completions.create(streamed("HANG")).then(collect)).rejects.toThrow();
    expect(await simulator.when((stats) => stats.aborted === 2)).toMatchObject({ active: 0 });
    expect(await callLogged(2)).toMatchObject([{ code: 504 }, { code: 504 }]);
  });

  it.each([
    [500, JSON.stringify({ error: { message: `bad key ${PROVIDER_KEY}!` } }), "bad key [redacted]!"],
    [500, `<html>${PROVIDER_KEY}</html>`, "the model provider main answered 500"],
    [302, "", "the model provider main answered 302"],
  ])("never passes the provider's key or a redirect on (%i %s)", async (status, body, words) => {
    const odd = await serve((_req, res) => res.writeHead(status, { location: `http://x/?${PROVIDER_KEY}` }).end(body));
    await restartGateway([provider({ baseUrl: odd.url })]);
    const headers = { authorization: `Bearer ${modelKey(ring[0], slot)}` };
    const answer = await fetch(`${gateway.url}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify(ask("hi")),
      redirect: "manual",
    });
    const text = await answer.text();
    expect(answer.status).toBe(status === 302 ? 502 : status);
    expect(JSON.parse(text)).toMatchObject({ error: { message: words } });
    expect(text + JSON.stringify([...answer.headers])).not.toContain(PROVIDER_KEY);
    odd.server.close();
    odd.server.closeAllConnections();
  });

  it("passes on when to try again", async () => {
    const busy = await serve((_req, res) => res.writeHead(429, { "retry-after": "7" }).end("{}"));
    await restartGateway([provider({ baseUrl: busy.url })]);
    const error = await refused(client().chat.completions.create(ask("hi")));
    expect(error.status).toBe(429);
    expect(error.headers?.get("retry-after")).toBe("7");
    busy.server.close();
    busy.server.closeAllConnections();
  });
});
