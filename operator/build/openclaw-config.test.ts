import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonObject, siftConfig } from "./forbidden-config.ts";
import { buildOpenClawConfig, type OpenClawConfigInput, renderOpenClawConfig } from "./openclaw-config.ts";

const INPUT: OpenClawConfigInput = {
  className: "standard",
  models: [
    { name: "default", contextWindow: 200_000, maxTokens: 16_384 },
    { name: "small", contextWindow: 32_000 },
  ],
  defaultModel: "default",
  exec: "Allow",
  modelGatewayUrl: "http://hatchery-model-gateway.hatchery.svc:8080",
};

/** How OpenClaw's configurations refer to a variable of the process. */
const reference = (name: string) => `$\{${name}}`;

function build(change: Partial<OpenClawConfigInput> = {}) {
  return buildOpenClawConfig({ ...INPUT, ...change });
}

describe("the configuration of a tenant", () => {
  it("is the reviewed one", async () => {
    const { config, forbidden } = build();
    await expect(renderOpenClawConfig(config)).toMatchFileSnapshot("./openclaw-config.golden.txt");
    expect(forbidden).toEqual([]);
  });

  it.each([
    ["Allow", "full"],
    ["Ask", "ask"],
    ["Deny", "deny"],
  ] as const)("turns agent.exec %s into OpenClaw's mode %s", (exec, mode) => {
    expect(build({ exec }).config).toMatchObject({ tools: { exec: { mode } } });
  });

  it("names models by class, and the default one", () => {
    const { config } = build({ className: "large", defaultModel: "small" });
    expect(config).toMatchObject({
      models: { providers: { hatchery: { models: [{ id: "large/default" }, { id: "large/small" }] } } },
      agents: { defaults: { model: { primary: "hatchery/large/small" } } },
    });
  });

  it("refuses a default model the class does not have", () => {
    expect(() => build({ defaultModel: "gpt" })).toThrow(/"gpt" is not one of the class's/);
  });

  it("denies fetching tools to /tools/invoke unless the instance allows them", () => {
    const { config } = build({ toolsAllow: ["web_fetch", "sessions_send"], toolsDeny: ["agents_list"] });
    expect(config).toMatchObject({
      gateway: {
        tools: { allow: ["sessions_send", "web_fetch"], deny: ["agents_list", "browser", "web_search"] },
      },
    });
  });
});

describe("a user's configuration", () => {
  it("merges over the operator's, the instance's over the class's", () => {
    const { config, forbidden } = build({
      classConfig: { cron: { enabled: true }, agents: { defaults: { timeoutSeconds: 60, maxConcurrent: 2 } } },
      instanceConfig: { agents: { defaults: { timeoutSeconds: 30 } }, mcp: { servers: { a: { url: "https://a" } } } },
    });
    expect(forbidden).toEqual([]);
    expect(config).toMatchObject({
      cron: { enabled: true },
      mcp: { servers: { a: { url: "https://a" } } },
      agents: { defaults: { timeoutSeconds: 30, maxConcurrent: 2, skipBootstrap: true } },
    });
  });

  it("removes with null and replaces lists", () => {
    const { config } = build({
      classConfig: { messages: { queue: { a: 1 } }, session: { resetTriggers: ["a", "b"] } },
      instanceConfig: { messages: { queue: null }, session: { resetTriggers: ["c"] } },
    });
    expect(config.messages).toEqual({});
    expect(config.session).toEqual({ resetTriggers: ["c"] });
  });

  it.each<[JsonObject, string[]]>([
    [{ gateway: { port: 1 } }, ["gateway.port"]],
    [{ gateway: { bind: "loopback", mode: "remote" } }, ["gateway.bind", "gateway.mode"]],
    [{ gateway: { auth: { token: "mine" } } }, ["gateway.auth"]],
    [{ gateway: { trustedProxies: ["0.0.0.0/0"] } }, ["gateway.trustedProxies"]],
    [{ gateway: { http: { endpoints: { responses: { enabled: false } } } } }, ["gateway.http.endpoints"]],
    [{ gateway: { tools: { allow: ["exec"] } } }, ["gateway.tools"]],
    [{ gateway: { controlUi: { enabled: true } } }, ["gateway.controlUi"]],
    [{ gateway: null }, ["gateway"]],
    [{ gateway: "x" }, ["gateway"]],
    [{ agents: { defaults: [] } }, ["agents.defaults"]],
    [{ models: { providers: { openai: { apiKey: "k" } } } }, ["models"]],
    [{ auth: {}, secrets: {}, plugins: { load: { paths: ["/data/x"] } } }, ["auth", "plugins", "secrets"]],
    [{ agents: { defaults: { model: { primary: "openai/gpt" } } } }, ["agents.defaults.model.primary"]],
    [{ tools: { exec: { mode: "full", timeoutSeconds: 5 } } }, ["tools.exec.mode"]],
    [{ tools: { fs: { workspaceOnly: false } } }, ["tools.fs"]],
    [{ agents: { entries: { main: { tools: { exec: { mode: "full" } } } } } }, ["agents.entries.main.tools.exec"]],
    [{ env: { vars: { OPENCLAW_GATEWAY_PASSWORD: "x" } } }, ["env.vars.OPENCLAW_GATEWAY_PASSWORD"]],
    [{ hooks: { token: "t", enabled: true } }, ["hooks.token"]],
    [{ $include: "/data/home/mine.json" }, ["$include"]],
    [{ session: { resetTriggers: [{ $include: "./y" }] } }, ["session.resetTriggers.0.$include"]],
    [
      JSON.parse('{"__proto__":{"gateway":{"port":1}},"session":{"constructor":1}}'),
      ["__proto__", "session.constructor"],
    ],
  ])("has these keys refused and left out: %j", (config, paths) => {
    expect(build({ classConfig: config }).forbidden).toEqual(paths);
    const ofInstance = build({ instanceConfig: config });
    // An instance is refused whole sections of which a class may set a part.
    for (const path of paths) {
      expect(ofInstance.forbidden.some((refused) => path === refused || path.startsWith(`${refused}.`))).toBe(true);
    }
    const plain = build().config;
    for (const key of ["gateway", "models", "plugins"]) expect(ofInstance.config[key]).toEqual(plain[key]);
    expect(ofInstance.config).toMatchObject({ tools: { exec: { mode: "full" }, fs: { workspaceOnly: true } } });
  });

  it("keeps what stands beside a refused key", () => {
    for (const author of ["class", "instance"] as const) {
      expect(siftConfig({ tools: { exec: { mode: "full", timeoutSeconds: 5 } } }, author).allowed).toEqual({
        tools: { exec: { timeoutSeconds: 5 } },
      });
    }
  });

  it.each<[string, JsonObject, string]>([
    [
      "starts a command, whatever agent.exec says",
      { mcp: { servers: { a: { command: "sh" } } } },
      "mcp.servers.a.command",
    ],
    ["starts a command for media", { tools: { media: { models: [{ command: "sh" }] } } }, "tools.media"],
    ["starts a command for links", { tools: { links: { models: [{ command: "sh" }] } } }, "tools.links"],
    ["loads code of the agent's", { hooks: { internal: { load: { extraDirs: ["/data/x"] } } } }, "hooks"],
    ["runs another agent's program", { agents: { entries: { x: { runtime: { type: "acp" } } } } }, "agents.entries.x"],
    [
      "turns exec on in another place",
      { agents: { list: [{ id: "x", tools: { exec: { mode: "full" } } }] } },
      "agents.list",
    ],
    [
      "widens what may be written",
      { tools: { exec: { applyPatch: { workspaceOnly: false } } } },
      "tools.exec.applyPatch",
    ],
    ["gives tools back", { tools: { deny: [] } }, "tools.deny"],
    ["lets jobs run by the clock", { cron: { enabled: true } }, "cron"],
    ["calls a model elsewhere", { memory: { search: { remote: { baseUrl: "https://x" } } } }, "memory"],
    ["carries a credential", { talk: { providers: { x: { apiKey: "k" } } } }, "talk"],
    ["sets a switch of the process", { env: { vars: { NODE_OPTIONS: "--require /data/x.js" } } }, "env"],
    ["... and not by a space before its name", { env: { vars: { " OPENCLAW_GATEWAY_TOKEN": "x" } } }, "env"],
    ["... and not beside vars", { env: { OPENCLAW_GATEWAY_TOKEN: "x" } }, "env"],
    ["sends what leaves the pod elsewhere", { proxy: { enabled: true, proxyUrl: "http://x" } }, "proxy"],
    [
      "says the token",
      { messages: { responsePrefix: reference("OPENCLAW_GATEWAY_TOKEN") } },
      "messages.responsePrefix",
    ],
    [
      "says it in a list",
      { session: { resetTriggers: ["a", reference("HATCHERY_MODEL_KEY")] } },
      "session.resetTriggers",
    ],
    [
      "sends the token",
      { mcp: { servers: { a: { url: "https://x", headers: { x: reference("OPENCLAW_GATEWAY_TOKEN") } } } } },
      "mcp.servers.a.headers.x",
    ],
    ["nobody has heard of", { brandNew: true }, "brandNew"],
  ])("of an instance holds nothing that %s", (_what, instanceConfig, path) => {
    expect(build({ instanceConfig }).forbidden).toContain(path);
  });

  it("of an instance leaves the servers of its class alone, and what is sent to them", () => {
    const classConfig = {
      mcp: { servers: { corp: { url: "https://corp", headers: { key: reference("CORP_KEY") } } } },
    };
    const instanceConfig = { mcp: { servers: { corp: { url: "https://x" }, mine: { url: "https://mine" } } } };
    expect(build({ classConfig, instanceConfig }).forbidden).toEqual(["mcp.servers.corp"]);
    expect(build({ classConfig }).forbidden).toEqual([]);
  });

  it("never moves the operator's keys, whatever it holds", () => {
    const key = fc.constantFrom(
      "gateway",
      "auth",
      "port",
      "models",
      "plugins",
      "tools",
      "exec",
      "mode",
      "x",
      "__proto__",
    );
    const { tree } = fc.letrec<{ tree: JsonObject; value: unknown }>((tie) => ({
      value: fc.oneof({ depthSize: "small" }, fc.constant(null), fc.string(), fc.array(tie("value")), tie("tree")),
      tree: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    }));
    const plain = build().config;
    fc.assert(
      fc.property(tree, (instanceConfig) => {
        const { config } = build({ instanceConfig });
        expect(config.gateway).toMatchObject(plain.gateway as JsonObject);
        expect(config.models).toEqual(plain.models);
        expect(config.plugins).toEqual(plain.plugins);
        expect(config.tools).toMatchObject(plain.tools as JsonObject);
      }),
    );
  });

  it("renders the same text whatever the order of its keys", () => {
    const a = build({ classConfig: { ui: { a: 1, b: 2 }, cron: { enabled: true } } });
    const b = build({ classConfig: { cron: { enabled: true }, ui: { b: 2, a: 1 } } });
    expect(JSON.stringify(a.config)).toBe(JSON.stringify(b.config));
    expect(renderOpenClawConfig(a.config)).toBe(renderOpenClawConfig(b.config));
  });
});
