import { SCHEMES, type Scheme } from "../auth/identity.ts";
import type { ApiContext } from "../context.ts";
import type { Route } from "../http/route.ts";
import { withReference } from "../openapi/with-reference.ts";
import { appendMessagesRoute } from "./append-messages.ts";
import { approveDevice } from "./approve-device.ts";
import { approvePairing } from "./approve-pairing.ts";
import { backUpRuntime } from "./back-up-runtime.ts";
import { createAgentRoute } from "./create-agent.ts";
import { createAgentKeyRoute } from "./create-agent-key.ts";
import { createInstance } from "./create-instance.ts";
import { createThreadRoute } from "./create-thread.ts";
import { createTokenRoute } from "./create-token.ts";
import { decideApproval } from "./decide-approval.ts";
import { deleteAgentKey } from "./delete-agent-key.ts";
import { deleteInstance } from "./delete-instance.ts";
import { deleteThreadRoute } from "./delete-thread.ts";
import { deleteToken } from "./delete-token.ts";
import { getAccess } from "./get-access.ts";
import { getBillingSummary } from "./get-billing-summary.ts";
import { getDiagnostics } from "./get-diagnostics.ts";
import { getInstance } from "./get-instance.ts";
import { getPrincipal } from "./get-principal.ts";
import { getRuntimeStatus } from "./get-runtime-status.ts";
import { getSessionHistory } from "./get-session-history.ts";
import { getThreadRoute } from "./get-thread.ts";
import { invokeToolRoute } from "./invoke-tool.ts";
import { joinWaitlistRoute } from "./join-waitlist.ts";
import { listAgentsRoute } from "./list-agents.ts";
import { listAllInstances } from "./list-all-instances.ts";
import { listApprovalsRoute } from "./list-approvals.ts";
import { listDevices } from "./list-devices.ts";
import { listLedgerEntries } from "./list-ledger-entries.ts";
import { listMessagesRoute } from "./list-messages.ts";
import { listModels } from "./list-models.ts";
import { listOperations } from "./list-operations.ts";
import { listPairing } from "./list-pairing.ts";
import { listSessions } from "./list-sessions.ts";
import { listThreadsRoute } from "./list-threads.ts";
import { listTokensRoute } from "./list-tokens.ts";
import { listUsersRoute } from "./list-users.ts";
import { listWaitlistRoute } from "./list-waitlist.ts";
import { openGateway } from "./open-gateway.ts";
import { postChat } from "./post-chat.ts";
import { postChatCompletions } from "./post-chat-completions.ts";
import { postCredits } from "./post-credits.ts";
import { postResponses } from "./post-responses.ts";
import { rejectDevice } from "./reject-device.ts";
import { removeDevice } from "./remove-device.ts";
import { restartRuntime } from "./restart-runtime.ts";
import { sendToSession } from "./send-to-session.ts";
import { setAgentStatusRoute } from "./set-agent-status.ts";
import { setUserAccessRoute } from "./set-user-access.ts";
import { setWaitlistApprovalRoute } from "./set-waitlist-approval.ts";
import { startRuntime } from "./start-runtime.ts";
import { stopRuntime } from "./stop-runtime.ts";
import { updateThreadRoute } from "./update-thread.ts";
import { watchInstance } from "./watch-instance.ts";

/** All endpoints of the public listener, for a server that knows these kinds of credentials. */
export function createRoutes(context: ApiContext, schemes: readonly Scheme[] = SCHEMES): Route[] {
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
    getDiagnostics,
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
    getPrincipal,
    getAccess,
    joinWaitlistRoute,
    listTokensRoute,
    createTokenRoute,
    deleteToken,
    listAgentsRoute,
    createAgentRoute,
    setAgentStatusRoute,
    createAgentKeyRoute,
    deleteAgentKey,
    listUsersRoute,
    setUserAccessRoute,
    listWaitlistRoute,
    setWaitlistApprovalRoute,
    listAllInstances,
    openGateway,
    listModels,
    postResponses,
    postChatCompletions,
    getBillingSummary,
    listLedgerEntries,
    postCredits,
    listThreadsRoute,
    createThreadRoute,
    getThreadRoute,
    updateThreadRoute,
    deleteThreadRoute,
    listMessagesRoute,
    appendMessagesRoute,
  ].map((create): Route => create(context));
  const all: Route[] = withReference([listOperations(() => all), ...routes], schemes);
  return all;
}
