import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** A message that a bot sent. */
export interface Said {
  to: string;
  text: string;
}

/** Telegram's Bot API on 127.0.0.1, as far as one bot in private chats needs it. */
export interface Telegram extends AsyncDisposable {
  /** For `channels.telegram.apiRoot`. */
  readonly url: string;
  /** All that the bot said, in order. */
  readonly said: readonly Said[];
  /** Somebody writes to the bot. */
  write(sender: { id: number; firstName: string; username: string }, text: string): void;
}

/** How long a bot that asks for news is kept waiting. */
const POLL_MS = 1_000;
const BOT = { id: 123456, is_bot: true, first_name: "Bot", username: "test_bot" };

/** Starts it. Any token is good. */
export async function startTelegram(): Promise<Telegram> {
  const said: Said[] = [];
  const news: object[] = [];
  let count = 0;
  let wake = () => {};

  async function updates({ offset = 0 }: { offset?: number }): Promise<object[]> {
    const fresh = () => news.filter((update) => (update as { update_id: number }).update_id >= offset);
    if (fresh().length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, POLL_MS);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return fresh();
  }

  function sent({ chat_id, text }: { chat_id?: number | string; text?: string }): object {
    said.push({ to: String(chat_id), text: text ?? "" });
    return { message_id: ++count, date: 1, chat: { id: Number(chat_id), type: "private" }, text };
  }

  async function answer(req: IncomingMessage): Promise<unknown> {
    const method = req.url?.split("/").pop()?.split("?")[0];
    const params = (req.method === "POST" ? await json(req) : {}) as Record<string, never>;
    if (method === "getMe") return BOT;
    if (method === "getUpdates") return updates(params);
    return method === "sendMessage" ? sent(params) : true;
  }

  const server = createServer((req, res) => {
    void answer(req).then(
      (result) => res.setHeader("content-type", "application/json").end(JSON.stringify({ ok: true, result })),
      () => res.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    said,
    write({ id, firstName: first_name, username }, text) {
      const [from, chat] = [
        { id, is_bot: false, first_name, username },
        { id, type: "private", first_name, username },
      ];
      const message_id = ++count;
      const date = Math.floor(Date.now() / 1000);
      news.push({ update_id: message_id, message: { message_id, date, text, chat, from } });
      wake();
    },
    async [Symbol.asyncDispose]() {
      wake();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
