import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What the stub saw of one request for a completion. */
export interface ModelCall {
  readonly authorization: string | undefined;
  readonly model: string;
}

/** A model provider on loopback, just enough of one for the smoke test. */
export interface ModelStub {
  readonly url: string;
  readonly calls: readonly ModelCall[];
  close(): void;
}

/** What the smoke test says begins so and is one line. */
const USER_TEXT = /SMOKE .*/;

interface Message {
  readonly role: string;
  readonly content?: unknown;
}

/** Starts the provider. It answers `echo: <user text>`, or calls the tool that a text `TOOL:<name>:<json>` asks for. */
export async function startModelStub(): Promise<ModelStub> {
  const calls: ModelCall[] = [];
  const server = createServer((request, response) => {
    void readJson(request).then((body) => {
      const { model, messages } = body as { model: string; messages: readonly Message[] };
      calls.push({ authorization: request.headers.authorization, model });
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const chunk of completion(model, messages)) response.write(`data: ${JSON.stringify(chunk)}\n\n`);
      response.end("data: [DONE]\n\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${portOf(server)}`, calls, close: () => server.close() };
}

/** A loopback port that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

function completion(model: string, messages: readonly Message[]): object[] {
  const chunk = (delta: object, finishReason: string | null = null) => ({
    id: "chatcmpl-smoke",
    object: "chat.completion.chunk",
    created: 0,
    model,
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  });
  // OpenClaw sets a time before and its own context after what the user wrote.
  const asked = messages.findLastIndex((message) => message.role === "user" && USER_TEXT.test(textOf(message)));
  const toolResult = messages.findLast((message, index) => index > asked && message.role === "tool");
  const [text = ""] = USER_TEXT.exec(textOf(messages[asked])) ?? [];
  const [, name, args] = /TOOL:(\w+):(\{.*\})/.exec(text) ?? [];
  if (name && args && !toolResult) {
    const call = { index: 0, id: "call_smoke", type: "function", function: { name, arguments: args } };
    return [chunk({ role: "assistant", tool_calls: [call] }), chunk({}, "tool_calls")];
  }
  const reply = toolResult ? `tool said: ${textOf(toolResult)}` : `echo: ${text}`;
  return [...reply.split(/(?<= )/).map((content) => chunk({ content })), chunk({}, "stop")];
}

function textOf(message: Message | undefined): string {
  const content = message?.content;
  if (typeof content === "string") return content;
  return Array.isArray(content) ? content.map((part: { text?: string }) => part.text ?? "").join(" ") : "";
}
