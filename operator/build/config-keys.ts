/*
 * Which keys of an OpenClaw configuration are whose. A pattern names a key and with it all below; `*` is any one key, `PREFIX_*`
 * any key that starts so.
 */

/** What a class may not set: by these keys the operator and the API reach the gateway, and the class's own fields are carried out. */
export const OPERATOR_KEYS = patterns([
  // How the API and the operator reach the gateway and prove themselves to it.
  "gateway.mode",
  "gateway.port",
  "gateway.bind",
  "gateway.customBindHost",
  "gateway.auth",
  "gateway.tls",
  "gateway.trustedProxies",
  "gateway.allowRealIpFallback",
  "gateway.publicOrigin",
  "gateway.tailscale",
  "gateway.remote",
  "gateway.roles",
  "gateway.http.endpoints",
  "hooks.token",
  // Doors besides the API's.
  "gateway.controlUi",
  "gateway.terminal",
  "gateway.portals",
  "gateway.nodes",
  // The instance has fields of its own for these: spec.gateway.toolsAllow and toolsDeny, spec.model.default.
  "gateway.tools",
  "agents.defaults.model.primary",
  // Models come from the class and are reached through the model gateway with the pod's virtual key.
  "models",
  "auth",
  "secrets",
  // Code that runs inside the gateway process.
  "plugins",
  // The class says in agent.exec what the agent may run.
  "tools.exec.mode",
  "tools.exec.security",
  "tools.exec.ask",
  "tools.exec.host",
  "tools.exec.node",
  "tools.elevated",
  "tools.fs",
  "commands.bash",
  "agents.entries.*.tools.exec",
  "agents.entries.*.tools.elevated",
  "agents.entries.*.tools.fs",
  // Switches of the process itself.
  "env.vars.OPENCLAW_*",
  "env.vars.HATCHERY_*",
]);

/**
 * All that an instance may set: how its agent works, remembers and speaks. OpenClaw knows thousands of keys, many of which start a
 * command, call another model provider or name a file, and each version adds some; so what is not here is refused (ADR 9).
 */
export const INSTANCE_KEYS = patterns([
  ...[
    "bootstrapMaxChars",
    "bootstrapTotalMaxChars",
    "compaction.enabled",
    "compaction.keepRecentTokens",
    "compaction.memoryFlush.enabled",
    "compaction.memoryFlush.softThresholdTokens",
    "compaction.midTurnPrecheck",
    "compaction.mode",
    "compaction.notifyUser",
    "compaction.qualityGuard",
    "compaction.recentTurnsPreserve",
    "compaction.thinkingLevel",
    "compaction.timeoutSeconds",
    "contextInjection",
    "contextLimits",
    "contextPruning",
    "fastModeDefault",
    "heartbeat.activeHours",
    "heartbeat.every",
    "heartbeat.isolatedSession",
    "heartbeat.lightContext",
    "heartbeat.prompt",
    "heartbeat.timeoutSeconds",
    "imageMaxDimensionPx",
    "imageQuality",
    "maxConcurrent",
    "mediaMaxMb",
    "pdfMaxMb",
    "pdfMaxPages",
    "reasoningDefault",
    "skipBootstrap",
    "startupContext",
    "subagents.archiveAfterMinutes",
    "subagents.delegationMode",
    "subagents.maxChildrenPerAgent",
    "subagents.maxConcurrent",
    "subagents.maxSpawnDepth",
    "subagents.runTimeoutSeconds",
    "subagents.thinking",
    "thinkingDefault",
    "timeoutSeconds",
    "toolProgressDetail",
    "userTimezone",
    "verboseDefault",
  ].map((key) => `agents.defaults.${key}`),
  ...["emoji", "name", "theme"].map((key) => `agents.entries.main.identity.${key}`),
  "attachments.ttlHours",
  // Servers elsewhere, within the network policy; one that is a command would run it whatever agent.exec says.
  ...[
    "connectionTimeoutMs",
    "enabled",
    "headers",
    "requestTimeoutMs",
    "supportsParallelToolCalls",
    "toolFilter",
    "transport",
    "url",
  ].map((key) => `mcp.servers.*.${key}`),
  "mcp.sessionIdleTtlMs",
  "messages.queue",
  "messages.responsePrefix",
  "messages.responseUsage",
  "session.maintenance",
  "session.reset",
  "session.resetByType",
  "session.resetTriggers",
  "skills.entries.*.enabled",
  "skills.limits",
  "tools.exec.backgroundMs",
  "tools.exec.cleanupMs",
  "tools.exec.notifyOnExit",
  "tools.exec.timeoutSeconds",
  "tools.loopDetection",
  "tools.updatePlan",
  "tools.web.fetch.maxChars",
  "tools.web.fetch.readability",
  "tools.web.fetch.timeoutSeconds",
]);

function patterns(texts: readonly string[]): readonly (readonly string[])[] {
  return texts.map((text) => text.split("."));
}
