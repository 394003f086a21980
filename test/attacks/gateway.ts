import { type Script, type ScriptedGateway, sendJson, startScriptedGateway } from "#api/testing/scripted-gateway.ts";

/** A tenant's gateway: lets in who has its slot's token, and answers everything with what is its tenant's. */
export interface TenantGateway extends AsyncDisposable {
  readonly origin: string;
  /** How many calls came in, those with a wrong token too. */
  readonly calls: number;
}

/** Starts one whose every answer holds `content`; `token` is asked for at each call. */
export async function startTenantGateway(token: () => string, content: string): Promise<TenantGateway> {
  const script: Script = (request, response) => {
    if (request.headers.authorization !== `Bearer ${token()}`) {
      return sendJson(response, 401, { error: { message: "Unauthorized", type: "unauthorized" } });
    }
    sendJson(response, 200, answerTo(request.path, request.body, content));
  };
  const gateway: ScriptedGateway = await startScriptedGateway(script);
  return {
    origin: gateway.origin,
    get calls() {
      return gateway.seen.length;
    },
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

function answerTo(path: string, body: string, content: string): object {
  if (path === "/tools/invoke") return { ok: true, result: { content: [{ type: "text", text: content }] } };
  if (path === "/v1/models") return { object: "list", data: [{ id: content, object: "model" }] };
  if (path === "/hatchery/rpc")
    return { ok: true, payload: payloadOf(JSON.parse(body) as { method: string }, content) };
  return { id: "resp_1", status: "completed", output: [{ content: [{ type: "output_text", text: content }] }] };
}

function payloadOf({ method }: { method: string }, content: string): object {
  const device = { deviceId: "d-1", displayName: content, platform: "linux", clientMode: "cli", role: "operator" };
  const account = { channel: "telegram", accountId: "work" };
  const sender = {
    ...account,
    senderId: "1",
    createdAt: "2026-01-01T00:00:00.000Z",
    lastSeenAt: "2026-01-01T00:00:00.000Z",
  };
  switch (method) {
    case "device.pair.list":
      return { pending: [{ ...device, requestId: "r-1", ts: 1 }], paired: [device] };
    case "channels.pairing.list":
      return { accounts: [account], requests: [{ ...sender, requestId: "p-1", metadata: { name: content } }] };
    case "hatchery.pairing.codes":
      return { codes: [{ ...sender, code: "ABCD1234" }] };
    default:
      return { requestId: "p-1", senderId: "1", deviceId: "d-1", notification: "not-requested" };
  }
}
