import type { ServerResponse } from "node:http";
import type { Fault } from "./fault.ts";

/** Does what a fault asks for without the apiserver; false when the request is to be passed on first. */
export function answerInstead(fault: Fault, response: ServerResponse): boolean {
  switch (fault.kind) {
    case "reset":
      response.socket?.resetAndDestroy();
      return true;
    case "silence":
      return true;
    case "answer":
      response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
      response.end(fault.body ?? JSON.stringify(status(fault.status, fault.reason)));
      return true;
    case "error-event":
      response.end(`${JSON.stringify({ type: "ERROR", object: status(fault.code, fault.reason) })}\n`);
      return true;
    case "script":
      for (const chunk of fault.chunks) response.write(chunk);
      response.end();
      return true;
    case "lose-answer":
    case "cut":
      return false;
  }
}

function status(code: number, reason = "Injected"): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message: "injected fault" };
}
