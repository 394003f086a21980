import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { buildOpenClawConfig, CREDENTIAL_ENV, renderOpenClawConfig } from "../operator/build/openclaw-config.ts";
import { type Gateway, runOpenClaw, startGateway } from "./smoke/gateway.ts";
import { freePort, type ModelStub, startModelStub } from "./smoke/model-stub.ts";

/**
 * The image's build-time smoke test: runs inside the image as its user, with the configuration the operator renders, and
 * fails the build by throwing. Its start also fills the compile cache.
 */

const TOKEN = "smoke-gateway-token";
const MODEL_KEY = "smoke-model-key";
const DIRECTORY = "/tmp/smoke";
/** Kubernetes keeps this much of the end of the log as a termination message. */
const TERMINATION_MESSAGE_BYTES = 2048;

const port = await freePort();
const model = await startModelStub();
const { config, forbidden } = buildOpenClawConfig({
  className: "standard",
  models: [{ name: "default" }],
  defaultModel: "default",
  exec: "Allow",
  modelGatewayUrl: model.url,
});
assert.deepEqual(forbidden, []);
// Only the address differs from a tenant's: the build may share its network with others.
const gatewayKeys = { ...(config.gateway as object), bind: "loopback", port };

step("openclaw config validate");
const environment = environmentFor("good", { ...config, gateway: gatewayKeys });
const validated = runOpenClaw(["config", "validate"], environment);
assert.equal(validated.code, 0, validated.output);

step("start, chat, tools, bridge, stop");
await withGateway(environment, async (gateway) => {
  await checkDoor(gateway);
  await checkChat(gateway, model);
  await checkAgentTools(gateway);
  await checkBridge(gateway);
});

step("a configuration OpenClaw refuses");
const refused = await startGateway(port, environmentFor("bad", { ...config, gateway: gatewayKeys, bogusKey: 1 }));
assert.ok("code" in refused, "the gateway started with an unknown key");
assert.equal(refused.code, 78, refused.output);
assert.match(refused.output.slice(-TERMINATION_MESSAGE_BYTES), /bogusKey/, refused.output);

model.close();
step("done");

function step(name: string): void {
  console.log(`smoke: ${name} (${(process.uptime()).toFixed(1)} s)`);
}

function environmentFor(name: string, content: object): NodeJS.ProcessEnv {
  mkdirSync(DIRECTORY, { recursive: true });
  const path = `${DIRECTORY}/${name}.json`;
  writeFileSync(path, renderOpenClawConfig(content as Record<string, unknown>));
  return {
    ...process.env,
    OPENCLAW_CONFIG_PATH: path,
    [CREDENTIAL_ENV.gatewayToken]: TOKEN,
    [CREDENTIAL_ENV.modelKey]: MODEL_KEY,
  };
}

async function withGateway(env: NodeJS.ProcessEnv, use: (gateway: Gateway) => Promise<void>): Promise<void> {
  const gateway = await startGateway(port, env);
  if ("code" in gateway) throw new Error(`the gateway ended with ${gateway.code}:\n${gateway.output}`);
  try {
    await use(gateway);
  } catch (error) {
    await gateway.stop();
    throw new Error(`${String(error)}\nthe gateway printed:\n${gateway.output()}`, { cause: error });
  }
  assert.equal(await gateway.stop(), 0, gateway.output());
}

function call(gateway: Gateway, path: string, body?: object | string, token = TOKEN): Promise<Response> {
  return fetch(gateway.url + path, {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

async function checkDoor(gateway: Gateway): Promise<void> {
  assert.equal((await call(gateway, "/v1/models", undefined, "wrong")).status, 401);
  assert.equal((await call(gateway, "/hatchery/rpc", { method: "health" }, "wrong")).status, 401);
  const models = (await (await call(gateway, "/v1/models")).json()) as { data: { id: string }[] };
  assert.ok(models.data.some((entry) => entry.id === "openclaw"));
}

async function chat(gateway: Gateway, input: string): Promise<string> {
  const response = await call(gateway, "/v1/responses", { model: "openclaw", input, user: "smoke" });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { output } = JSON.parse(text) as { output: { content?: { text?: string }[] }[] };
  return output.flatMap((item) => item.content?.map((part) => part.text ?? "") ?? []).join("");
}

async function checkChat(gateway: Gateway, stub: ModelStub): Promise<void> {
  assert.equal(await chat(gateway, "SMOKE hello"), "echo: SMOKE hello");
  assert.deepEqual(stub.calls.at(-1), { authorization: `Bearer ${MODEL_KEY}`, model: "standard/default" });
  const messages = [{ role: "user", content: "SMOKE stream" }];
  const streamed = await call(gateway, "/v1/chat/completions", { model: "openclaw", stream: true, messages });
  const events = await streamed.text();
  assert.match(events, /"content":"echo:"/);
  assert.match(events, /data: \[DONE\]\s*$/);
}

/** Everything the image promises an agent, run by the agent. */
async function checkAgentTools(gateway: Gateway): Promise<void> {
  const tools = "bash cat curl git jq node npm python3 rg";
  const command = `for t in ${tools}; do command -v $t >/dev/null || echo missing $t; done; echo uid $(id -u)`;
  const reply = await chat(gateway, `SMOKE TOOL:exec:${JSON.stringify({ command })}`);
  assert.match(reply, /uid 1000/);
  assert.doesNotMatch(reply, /missing/);
}

async function checkBridge(gateway: Gateway): Promise<void> {
  const sessions = (await (await call(gateway, "/hatchery/rpc", { method: "sessions.list" })).json()) as {
    ok: boolean;
    payload: { sessions: unknown[] };
  };
  assert.equal(sessions.ok, true, JSON.stringify(sessions));
  assert.ok(sessions.payload.sessions.length > 0);
  for (const body of ["{", "[]", {}, { method: "no.such.method" }]) {
    const response = await call(gateway, "/hatchery/rpc", body);
    const text = await response.text();
    assert.equal(response.status, 400, text);
    assert.match(text, /"ok":false,"error":\{"code":"INVALID_REQUEST","message":"/);
  }
  const codes = await call(gateway, "/hatchery/rpc", { method: "hatchery.pairing.codes" });
  assert.deepEqual(await codes.json(), { ok: true, payload: { codes: [] } });
  assert.equal((await call(gateway, "/hatchery/health", undefined, "wrong")).status, 401);
  const health = (await (await call(gateway, "/hatchery/health")).json()) as {
    volume: { full: boolean; sizeBytes: number };
  };
  assert.ok(health.volume.sizeBytes > 0 && !health.volume.full, JSON.stringify(health));
  const admin = await call(gateway, "/api/v1/admin/rpc", { method: "gateway.suspend.status", params: {} });
  assert.notEqual(admin.status, 404, await admin.text());
}
