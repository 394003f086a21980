import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** Something that answers as a tenant's OpenClaw does when all goes well, whatever it is asked. */
export interface AgreeableOpenClaw extends AsyncDisposable {
  readonly origin: string;
}

/** Starts one on 127.0.0.1. */
export async function startAgreeableOpenClaw(): Promise<AgreeableOpenClaw> {
  const server = createServer((req, res) => void answer(req, res));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Asked {
  readonly stream?: boolean;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const asked = req.method === "POST" ? ((await json(req)) as Asked) : {};
  switch (req.url ?? "") {
    case "/v1/models":
      return send(res, {
        object: "list",
        data: [{ id: "openclaw", object: "model", created: 0, owned_by: "openclaw" }],
      });
    case "/v1/responses":
      return asked.stream ? stream(res, { type: "response.completed", response: RESPONSE }) : send(res, RESPONSE);
    case "/v1/chat/completions":
      return asked.stream ? stream(res, { object: "chat.completion.chunk", choices: [] }) : send(res, COMPLETION);
    case "/tools/invoke":
      return send(res, { ok: true, result: { content: [], details: { sessions: [], messages: [] } } });
    case "/hatchery/rpc":
      return send(res, { ok: true, payload: payloadOf(asked) });
    default:
      return void res.writeHead(404, { "content-type": "text/plain" }).end("Not Found");
  }
}

const USAGE = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
const RESPONSE = {
  id: "resp_1",
  object: "response",
  status: "completed",
  output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "yes" }] }],
  usage: USAGE,
};
const COMPLETION = {
  id: "chatcmpl_1",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "yes" }, finish_reason: "stop" }],
};

/** When somebody asked to be let in. */
const AT = "2026-01-01T00:00:00.000Z";
const SENDER = { channel: "telegram", accountId: "default", senderId: "7" };

function payloadOf({ method = "", params = {} }: Asked): unknown {
  switch (method) {
    case "device.pair.list":
      return {
        pending: [{ requestId: "r1", deviceId: "d1", platform: "linux", remoteIp: "192.0.2.1", ts: 1 }],
        paired: [{ deviceId: "d2", displayName: "phone", role: "operator", approvedAtMs: 2, lastSeenAtMs: 3 }],
      };
    case "device.pair.approve":
    case "device.pair.reject":
      return { requestId: params.requestId, deviceId: "d1" };
    case "channels.pairing.list":
      return {
        accounts: [SENDER],
        requests: [{ ...SENDER, requestId: "p1", metadata: { username: "nia" }, createdAt: AT, lastSeenAt: AT }],
      };
    case "hatchery.pairing.codes":
      return { codes: [{ ...SENDER, createdAt: AT, code: "SDQMNLRC" }] };
    case "channels.pairing.approve":
      return { notification: params.notify ? "sent" : "not-requested" };
    default:
      return {};
  }
}

function send(res: ServerResponse, body: object): void {
  res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function stream(res: ServerResponse, event: object): void {
  res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  res.end(`data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`);
}
