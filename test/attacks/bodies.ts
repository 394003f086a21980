/**
 * For each operation that takes a body: one that its handler would act on, were it the victim's own. Those whose ids are in the path need none
 * of the victim's here.
 */
export const BODIES: Readonly<Record<string, (approvalId: string) => unknown>> = {
  sendToSession: () => ({ message: "hello" }),
  invokeTool: () => ({ tool: "sessions_list", sessionKey: "main" }),
  chat: () => ({ input: "hello", user: "human:victim", model: "openclaw/victim" }),
  createResponse: () => ({ input: "hello", user: "human:victim" }),
  createChatCompletion: () => ({ messages: [{ role: "user", content: "hello" }], user: "human:victim" }),
  approvePairingRequest: () => ({ code: "ABCD1234" }),
  decideApproval: (approvalId) => ({ approvalId, decision: "approved" }),
  joinWaitlist: () => ({ email: "victim@example.org" }),
  setUserAccess: () => ({ enabled: false }),
  setWaitlistApproval: () => ({ approved: true }),
  grantCredits: () => ({ user_id: "victim", amount_usd: 1, idempotency_key: "k-1" }),
  createToken: () => ({ name: "mine" }),
  createAgent: () => ({ name: "mine" }),
  createAgentKey: () => ({ description: "mine" }),
  setAgentStatus: () => ({ status: "disabled" }),
  createThread: () => ({ title: "mine" }),
  updateThread: () => ({ title: "mine", archived: true }),
  appendMessages: () => ({ messages: [{ message_id: "m-2", role: "user", parts: [{ type: "text", text: "mine" }] }] }),
};
