import type { ApiContext } from "../context.ts";
import type { Route } from "../http/route.ts";
import { createInstance } from "./create-instance.ts";
import { decideApproval } from "./decide-approval.ts";
import { deleteInstance } from "./delete-instance.ts";
import { getInstance } from "./get-instance.ts";
import { getRuntimeStatus } from "./get-runtime-status.ts";
import { getSessionHistory } from "./get-session-history.ts";
import { invokeToolRoute } from "./invoke-tool.ts";
import { listApprovalsRoute } from "./list-approvals.ts";
import { listModels } from "./list-models.ts";
import { listOperations } from "./list-operations.ts";
import { listSessions } from "./list-sessions.ts";
import { postChat } from "./post-chat.ts";
import { postChatCompletions } from "./post-chat-completions.ts";
import { postResponses } from "./post-responses.ts";
import { sendToSession } from "./send-to-session.ts";
import { watchInstance } from "./watch-instance.ts";

/** All endpoints of the public listener. */
export function createRoutes(context: ApiContext): Route[] {
  const routes = [
    getInstance,
    createInstance,
    deleteInstance,
    watchInstance,
    postChat,
    listSessions,
    getSessionHistory,
    sendToSession,
    invokeToolRoute,
    getRuntimeStatus,
    listApprovalsRoute,
    decideApproval,
    listModels,
    postResponses,
    postChatCompletions,
  ].map((create): Route => create(context));
  return [listOperations(routes), ...routes];
}
