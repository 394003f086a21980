import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { Tenant } from "#crds/index.ts";
import { ApiError } from "../errors.ts";
import { createTestDatabase, type TestDatabase } from "../testing/database.fixture.ts";
import { APPROVAL_TTL_MS, admit, decide, type GatedCall, hashInput } from "./approvals.ts";
import { describeApproval, listApprovals } from "./record.ts";

const START = Date.UTC(2026, 0, 1);
const alice: Tenant = { kind: "Human", subject: "alice" };
const mallory: Tenant = { kind: "Human", subject: "mallory" };

let database: TestDatabase;
let agent: Tenant;
let now = START;

beforeAll(async () => {
  database = await createTestDatabase(inject("postgresPort"));
});
beforeEach(() => {
  now = START;
  agent = { kind: "Agent", subject: randomUUID() };
});
afterAll(() => database[Symbol.asyncDispose]());

const moment = (name: string) => ({ now, newId: randomUUID, requestId: "r-1", by: { name, scheme: "agent-key" } });

function call(over: Partial<GatedCall> = {}) {
  const made = {
    tenant: agent,
    owner: alice,
    tool: "openclaw_restart",
    input: {},
    summary: "Restart.",
    approvalId: undefined,
  };
  return admit(database.db, { ...made, ...over }, moment(`agent:${agent.subject}`));
}

function say(id: string, decision: "approved" | "rejected", decider = alice, isAdmin = false) {
  return decide(database.db, { id, decision, decider, isAdmin }, moment(`human:${decider.subject}`));
}

async function asked(over: Partial<GatedCall> = {}): Promise<string> {
  const answer = await call(over);
  expect(answer?.status).toBe("approval_required");
  return answer?.approvalId ?? "";
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof ApiError ? error.code : `no ApiError: ${String(error)}`;
}

describe("a gated call of an agent", () => {
  it("asks, waits, and runs once after a yes", async () => {
    const first = await call({ input: { requestId: "d-1" }, tool: "openclaw_approve_device" });
    const approvalId = first?.approvalId ?? "";
    const told = { summary: "Restart.", toolName: "openclaw_approve_device", toolInput: { requestId: "d-1" } };
    expect(first).toEqual({ status: "approval_required", approvalId, ...told });
    const again = { input: { requestId: "d-1" }, tool: "openclaw_approve_device" };
    expect(await call(again)).toEqual({ status: "approval_pending", approvalId, ...told });
    expect(await call({ ...again, approvalId })).toMatchObject({ status: "approval_pending", approvalId });
    await say(approvalId, "approved");
    expect(await call(again)).toMatchObject({ status: "approval_required", approvalId });
    expect(await call({ ...again, approvalId })).toBeUndefined();
    expect(await codeOf(call({ ...again, approvalId }))).toBe("approval_used");
    expect(await asked(again)).not.toBe(approvalId);
  });

  it("runs once, whoever comes at the same time", async () => {
    const approvalId = await asked();
    await say(approvalId, "approved");
    const ends = await Promise.all(
      Array.from({ length: 20 }, () => call({ approvalId }).then(() => "ran", codeOfThrown)),
    );
    expect(ends.filter((end) => end === "ran")).toHaveLength(1);
    expect(ends.filter((end) => end === "approval_used")).toHaveLength(19);
  });

  it("is one question, however often it is asked at the same time", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => call()));
    expect(new Set(answers.map((answer) => answer?.approvalId)).size).toBe(1);
    expect(answers.filter((answer) => answer?.status === "approval_required")).toHaveLength(1);
  });

  it("is bound to tenant, tool and input", async () => {
    const input = { code: "AB12", notify: true };
    const approvalId = await asked({ input });
    await say(approvalId, "approved");
    expect(await codeOf(call({ approvalId, input: { ...input, code: "AB13" } }))).toBe("approval_mismatch");
    expect(await codeOf(call({ approvalId, input, tool: "openclaw_delete" }))).toBe("approval_mismatch");
    const other: Tenant = { kind: "Agent", subject: randomUUID() };
    expect(await codeOf(call({ approvalId, input, tenant: other }))).toBe("approval_not_found");
    expect(await call({ approvalId, input: { notify: true, code: "AB12" } })).toBeUndefined();
  });

  it("never runs after a no, nor after its time", async () => {
    const rejected = await asked({ input: { a: 1 } });
    await say(rejected, "rejected");
    expect(await codeOf(call({ approvalId: rejected, input: { a: 1 } }))).toBe("approval_rejected");
    const approved = await asked({ input: { a: 2 } });
    const open = await asked({ input: { a: 3 } });
    await say(approved, "approved");
    now += APPROVAL_TTL_MS;
    expect(await codeOf(call({ approvalId: approved, input: { a: 2 } }))).toBe("approval_expired");
    expect(await codeOf(call({ approvalId: open, input: { a: 3 } }))).toBe("approval_expired");
    expect(await codeOf(say(open, "approved"))).toBe("approval_expired");
    expect(await asked({ input: { a: 2 } })).not.toBe(approved);
  });

  it("is one of twenty at most", async () => {
    for (let n = 0; n < 20; n++) await asked({ input: { n } });
    expect(await codeOf(call({ input: { n: 20 } }))).toBe("too_many_approvals");
  });
});

describe("a decision", () => {
  it("is the owner's alone, and the admins' for an agent that nobody owns", async () => {
    const owned = await asked();
    expect(await codeOf(say(owned, "approved", mallory))).toBe("approval_not_found");
    expect(await codeOf(say(owned, "approved", mallory, true))).toBe("approval_not_found");
    const ownerless = await asked({ owner: undefined, input: { b: 1 } });
    expect(await codeOf(say(ownerless, "approved", alice))).toBe("approval_not_found");
    expect(await say(ownerless, "approved", mallory, true)).toMatchObject({
      decision: "approved",
      decided_by: "human:mallory",
    });
  });

  it("stands: the same word again changes nothing, another one is refused", async () => {
    const id = await asked();
    const first = await say(id, "rejected");
    expect(await say(id, "rejected")).toEqual(first);
    expect(await codeOf(say(id, "approved"))).toBe("approval_decided");
  });

  it("and its use are on the record, in order", async () => {
    const approvalId = await asked();
    await say(approvalId, "approved");
    await call({ approvalId });
    const rows = await database.db
      .selectFrom("audit_events")
      .select(["actor", "action", "outcome", "request_id"])
      .where("object", "=", `approval:${approvalId}`)
      .orderBy("seq")
      .execute();
    expect(rows).toEqual([
      { actor: "human:alice", action: "approval.decide", outcome: "succeeded", request_id: "r-1" },
      { actor: `agent:${agent.subject}`, action: "approval.use", outcome: "succeeded", request_id: "r-1" },
    ]);
  });
});

describe("the list", () => {
  it("shows an agent its own and a human those of their agents, by state, in pages", async () => {
    const owner: Tenant = { kind: "Human", subject: randomUUID() };
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) {
      now = START + n * 1000;
      ids.unshift(await asked({ owner, input: { n } }));
    }
    await say(ids[0] ?? "", "rejected", owner);
    await say(ids[1] ?? "", "approved", owner);
    const list = (viewer: Tenant, over: object = {}) =>
      listApprovals(database.db, {
        viewer,
        isAdmin: false,
        status: undefined,
        now,
        limit: 10,
        after: undefined,
        ...over,
      });
    expect((await list(owner)).map(({ id }) => id)).toEqual(ids);
    expect((await list(agent)).map(({ id }) => id)).toEqual(ids);
    expect(await list({ kind: "Human", subject: agent.subject })).toEqual([]);
    expect(await list({ kind: "Agent", subject: owner.subject })).toEqual([]);
    expect((await list(owner, { status: "pending" })).map(({ id }) => id)).toEqual(ids.slice(2));
    expect((await list(owner, { status: "approved" })).map(({ id }) => id)).toEqual([ids[1]]);
    const page = await list(owner, { limit: 2 });
    expect(page.map(({ id }) => id)).toEqual(ids.slice(0, 3));
    const after = { at: START + 3000, id: ids[1] };
    expect((await list(owner, { limit: 2, after })).map(({ id }) => id)).toEqual(ids.slice(2, 5));
    expect((await list(owner)).map((row) => describeApproval(row, now + APPROVAL_TTL_MS).status)).toEqual([
      "rejected",
      "expired",
      "expired",
      "expired",
      "expired",
    ]);
  });
});

it("the hash is SHA-256 of the input with its keys sorted", () => {
  const expected = createHash("sha256").update('{"a":{"b":[1,2],"c":3},"z":null}').digest();
  expect(hashInput({ z: null, a: { c: 3, b: [1, 2] } })).toEqual(expected);
});

function codeOfThrown(error: unknown): string {
  return error instanceof ApiError ? error.code : String(error);
}
