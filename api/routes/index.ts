import type { ApiContext } from "../context.ts";
import type { Route } from "../http/route.ts";
import { approveDevice } from "./approve-device.ts";
import { approvePairing } from "./approve-pairing.ts";
import { backUpRuntime } from "./back-up-runtime.ts";
import { createInstance } from "./create-instance.ts";
import { decideApproval } from "./decide-approval.ts";
import { deleteInstance } from "./delete-instance.ts";
import { getInstance } from "./get-instance.ts";
import { getRuntimeStatus } from "./get-runtime-status.ts";
import { getSessionHistory } from "./get-session-history.ts";
import { invokeToolRoute } from "./invoke-tool.ts";
import { listApprovalsRoute } from "./list-approvals.ts";
import { listDevices } from "./list-devices.ts";
import { listModels } from "./list-models.ts";
import { listOperations } from "./list-operations.ts";
import { listPairing } from "./list-pairing.ts";
import { listSessions } from "./list-sessions.ts";
import { postChat } from "./post-chat.ts";
import { postChatCompletions } from "./post-chat-completions.ts";
import { postResponses } from "./post-responses.ts";
import { rejectDevice } from "./reject-device.ts";
import { removeDevice } from "./remove-device.ts";
import { restartRuntime } from "./restart-runtime.ts";
import { sendToSession } from "./send-to-session.ts";
import { startRuntime } from "./start-runtime.ts";
import { stopRuntime } from "./stop-runtime.ts";
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
    startRuntime,
    stopRuntime,
    restartRuntime,
    backUpRuntime,
    listDevices,
    approveDevice,
    rejectDevice,
    removeDevice,
    listPairing,
    approvePairing,
    listModels,
    postResponses,
    postChatCompletions,
  ].map((create): Route => create(context));
  return [listOperations(routes), ...routes];
}
