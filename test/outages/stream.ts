import { request } from "undici";

/** A chat that is read as it comes, in the background. */
export interface OpenChat {
  /** Numbers of the events that came, in order. */
  readonly seen: readonly number[];
  /** How it ended: `open` until it did, `whole` in good order, `cut` visibly. */
  readonly state: "open" | "whole" | "cut";
  /** True once `data: [DONE]` came. */
  readonly isDone: boolean;
  readonly ended: Promise<void>;
}

/** Opens a chat and goes on reading it; resolves with its head. */
export async function openChat(url: string, headers: Readonly<Record<string, string>>): Promise<OpenChat> {
  const response = await request(`${url}/api/openclaw/chat`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ stream: true, input: "count" }),
    bodyTimeout: 0,
  });
  if (response.statusCode !== 200) throw new Error(`chat: ${response.statusCode} ${await response.body.text()}`);
  const chat = { seen: [] as number[], state: "open" as OpenChat["state"], isDone: false, ended: Promise.resolve() };
  chat.ended = read(chat, response.body.setEncoding("utf8") as AsyncIterable<string>);
  return chat;
}

async function read(
  chat: { seen: number[]; state: OpenChat["state"]; isDone: boolean },
  pieces: AsyncIterable<string>,
): Promise<void> {
  let rest = "";
  try {
    for await (const piece of pieces) {
      const records = (rest + piece).split("\n\n");
      rest = records.pop() ?? "";
      for (const record of records) {
        const [, data] = /^data: (.*)$/.exec(record) ?? [];
        if (data === "[DONE]") chat.isDone = true;
        else if (data !== undefined) chat.seen.push(Number(data));
      }
    }
    chat.state = "whole";
  } catch {
    chat.state = "cut";
  }
}
