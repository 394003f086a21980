import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PHASE } from "#crds/index.ts";
import { connectSystem, type System } from "./system.ts";
import { type Answer, User } from "./user.ts";

const RUNTIME = "/api/openclaw/runtime";
const SESSION = "tools-1";

let system: System;
/** A human, and an agent of theirs with a key and an OpenClaw of its own. */
let owner: User;
let agent: User;
beforeAll(async () => {
  system = await connectSystem();
  owner = new User(system, `owner-${randomUUID().slice(0, 8)}`);
  const made = data(await owner.call("POST", "/api/agents", { body: { name: "helper" } }));
  const scopes = ["openclaw:read", "openclaw:write", "openclaw:chat"];
  const { key } = data(await owner.call("POST", `/api/agents/${String(made.id)}/keys`, { body: { scopes } }));
  agent = new User(system, String(made.id), { "x-oa-agent-key": String(key) });
});
afterAll(() => system[Symbol.asyncDispose]());

function data({ status, json, text }: Answer, expected = 200): Record<string, unknown> {
  expect(status, text).toBe(expected);
  return (json as { data: Record<string, unknown> }).data;
}

/** Makes a gated call the way an agent does: it is held, its owner says yes, and the same call runs. */
async function approved(path: string, tool: string, body: Record<string, unknown> = {}): Promise<Answer> {
  const held = data(await agent.call("POST", path, { body }), 202);
  expect(held).toMatchObject({ status: "approval_required", toolName: tool });
  const { approvalId } = held;
  expect(data(await agent.call("POST", path, { body }), 202)).toMatchObject({ status: "approval_pending", approvalId });
  // An agent has no say in it.
  const decision = { approvalId, decision: "approved" };
  expect((await agent.call("POST", "/api/approvals", { body: decision })).status).toBe(403);
  expect(data(await owner.call("GET", "/api/approvals?status=pending"))).toMatchObject({ items: [{ approvalId }] });
  data(await owner.call("POST", "/api/approvals", { body: decision }));
  return agent.call("POST", path, { body: { ...body, approvalId } });
}

describe("the tools of an agent, by its own key", () => {
  it("openclaw_get_instance: none yet", async () => {
    expect((await agent.call("GET", "/api/openclaw/instance")).json).toMatchObject({ ok: true, data: null });
    for (const path of [`${RUNTIME}/status`, `${RUNTIME}/devices`, "/api/openclaw/sessions"]) {
      expect((await agent.call("GET", path)).json).toMatchObject({ ok: false, code: "instance_not_found" });
    }
  });

  it("openclaw_provision: after its owner's yes, an OpenClaw of the agent's own", async () => {
    const provisioned = data(await approved("/api/openclaw/instance", "openclaw_provision"));
    expect(provisioned).toMatchObject({ status: "provisioning" });
    const claws = await system.kubectl("get", "claws", "--output", "jsonpath={.items[*].spec.owner}");
    expect(claws).toContain(`{"kind":"Agent","subject":"${agent.id}"}`);
    // A second yes is needed for a second call, so the state is watched instead.
    await untilReady();
    expect((await owner.call("GET", "/api/openclaw/instance")).json).toMatchObject({ data: null });
  });

  it("openclaw_get_status", async () => {
    expect(data(await agent.call("GET", `${RUNTIME}/status`))).toMatchObject({
      gateway: { status: "running" },
      lastBackup: null,
      container: { instanceType: "standard" },
      version: { openclaw: expect.stringMatching(/^\d{4}\./) },
    });
  });

  it("openclaw_send_session_message, openclaw_list_sessions, openclaw_get_session_history", async () => {
    const send = { body: { message: "hello from an agent", timeoutSeconds: 120 } };
    const sent = data(await agent.call("POST", `/api/openclaw/sessions/${SESSION}/send`, send));
    expect(sent).toMatchObject({ status: "completed", reply: "echo[1]: hello from an agent" });
    await told("/api/openclaw/sessions?limit=10", SESSION);
    await told(`/api/openclaw/sessions/${SESSION}/history?limit=5`, "hello from an agent");
    await told("/api/openclaw/sessions/no-such-session/history", "session_not_found");
  });

  it("openclaw_list_devices, openclaw_approve_device", async () => {
    expect(data(await agent.call("GET", `${RUNTIME}/devices`))).toEqual({ pending: [], paired: [] });
    const answer = await approved(`${RUNTIME}/devices/no-such-request/approve`, "openclaw_approve_device");
    expect([answer.status, answer.json]).toMatchObject([404, { code: "device_request_not_found" }]);
  });

  it("openclaw_list_pairing_requests, openclaw_approve_pairing", async () => {
    const listed = await agent.call("GET", `${RUNTIME}/pairing/telegram`);
    expect([listed.status, listed.json]).toMatchObject([404, { code: "pairing_channel_not_found" }]);
    const answer = await approved(`${RUNTIME}/pairing/telegram/approve`, "openclaw_approve_pairing", {
      code: "AAAABBBB",
    });
    expect([answer.status, answer.json]).toMatchObject([404, { code: "pairing_channel_not_found" }]);
  });

  it("openclaw_backup_now: not in this version, and says so", async () => {
    const { status, json } = await agent.call("POST", `${RUNTIME}/backup`);
    expect([status, json]).toMatchObject([501, { ok: false, code: "not_implemented" }]);
  });

  it("openclaw_get_billing_summary", async () => {
    expect(data(await agent.call("GET", "/api/openclaw/billing/summary"))).toMatchObject({
      user_id: agent.id,
      balance_usd: 0,
    });
  });

  it("openclaw_restart: after its owner's yes, another pod on the same volume with the same sessions", async () => {
    const name = await instanceName();
    const before = await system.instanceUntil(name, ({ status }) => status?.phase === PHASE.Ready);
    expect(data(await approved(`${RUNTIME}/restart`, "openclaw_restart"))).toEqual({ message: "restarting" });
    const uid = before.status?.runtime?.podUID;
    await system.instanceUntil(name, ({ status }) => status?.phase === PHASE.Ready && status.runtime?.podUID !== uid);
    await untilReady();
    await told(`/api/openclaw/sessions/${SESSION}/history`, "hello from an agent");
  });

  it("what was approved and used is on the record", async () => {
    const { items } = data(await owner.call("GET", "/api/approvals?status=used")) as { items: { toolName: string }[] };
    expect(items.map(({ toolName }) => toolName).sort()).toEqual([
      "openclaw_approve_device",
      "openclaw_approve_pairing",
      "openclaw_provision",
      "openclaw_restart",
    ]);
    const { approvalId } = data(await agent.call("DELETE", "/api/openclaw/instance"), 202);
    data(await owner.call("POST", "/api/approvals", { body: { approvalId, decision: "rejected" } }));
    const refused = await agent.call("DELETE", `/api/openclaw/instance?approvalId=${String(approvalId)}`);
    expect([refused.status, refused.json]).toMatchObject([403, { code: "approval_rejected" }]);
    await system.kubectl("delete", "claw", await instanceName());
  });
});

/** Name of the agent's instance. */
async function instanceName(): Promise<string> {
  const path = `jsonpath={.items[?(@.spec.owner.subject=="${agent.id}")].metadata.name}`;
  return system.kubectl("get", "claws", "--output", path);
}

/** OpenClaw's own time limit on what it remembers is short for a busy machine. */
async function told(path: string, words: string): Promise<void> {
  await expect
    .poll(async () => (await agent.call("GET", path)).text, { timeout: 60_000, interval: 200 })
    .toContain(words);
}

/** The API is the last to hear. */
async function untilReady(): Promise<void> {
  const name = await instanceName();
  await system.instanceUntil(name, ({ status }) => status?.phase === PHASE.Ready);
  await expect
    .poll(async () => (await agent.call("GET", "/api/openclaw/instance")).text, { timeout: 60_000, interval: 100 })
    .toContain('"status":"ready"');
}
