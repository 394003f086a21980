import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A request that reached a scripted gateway. */
interface SeenRequest {
  method: string;
  path: string;
  /** Names and values as they came, in pairs. */
  rawHeaders: string[];
  headers: IncomingMessage["headers"];
  body: string;
}

/** What a scripted gateway does with a request whose body it has read. */
export type Script = (req: SeenRequest, res: ServerResponse) => void | Promise<void>;

/** A real HTTP server on 127.0.0.1 in place of a tenant's gateway. */
export interface ScriptedGateway extends AsyncDisposable {
  readonly origin: string;
  readonly seen: SeenRequest[];
  /** Replaces the script. */
  on(script: Script): void;
}

/** Starts a gateway that follows `script`. */
export async function startScriptedGateway(script: Script = (_req, res) => void res.end()): Promise<ScriptedGateway> {
  const seen: SeenRequest[] = [];
  let current = script;
  const server = createServer((req, res) => {
    void text(req).then((body) => {
      const { method = "", url: path = "", rawHeaders, headers } = req;
      const request = { method, path, rawHeaders, headers, body };
      seen.push(request);
      return current(request, res);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    on(script) {
      current = script;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers JSON. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** Begins a stream of server-sent events and sends its head. */
export function beginEvents(res: ServerResponse): void {
  res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  res.flushHeaders();
}
