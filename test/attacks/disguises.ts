/** Everything in headers by which somebody might hope to be taken for the victim, or to be let further. */
export function disguises(
  credential: Readonly<Record<string, string>>,
): [name: string, headers: Record<string, string | string[]>][] {
  const one = (name: string, value: string): [string, Record<string, string>] => [
    `${name}: ${value}`,
    { [name]: value },
  ];
  const forged = [
    one("x-oa-user-email", "victim@example.org"),
    one("x-oa-instance-id", "human:victim"),
    one("x-oa-tenant-key", "human:victim"),
    one("x-oa-thread-id", "victim"),
    one("x-oa-original-url", "http://x/api/openclaw/instance?user_id=victim"),
    one("x-oa-control-key", "x".repeat(40)),
    one("x-openclaw-instance-id", "human:victim"),
    one("x-openclaw-scopes", "operator.admin"),
    one("x-openclaw-model", "other/model"),
    one("x-openclaw-session-key", "agent:main:the-victims-own-words"),
    one("x-openclaw-agent-id", "victim"),
    one("x-openclaw-account-id", "victim"),
    one("x-forwarded-for", "127.0.0.1"),
    one("x-forwarded-user", "victim"),
    one("x-forwarded-host", "victim"),
    one("x-real-ip", "127.0.0.1"),
    one("forwarded", "for=127.0.0.1;host=victim"),
    one("host", "victim"),
    one("x-http-method-override", "DELETE"),
    one("x-original-url", "/api/admin/users"),
    one("cookie", "session=victim"),
    one("connection", `keep-alive, ${Object.keys(credential).join(", ")}`),
    one("te", "trailers"),
    one("proxy-authorization", "Basic dmljdGltOng="),
    one("upgrade", "websocket"),
  ] satisfies [string, Record<string, string>][];
  const doubled = Object.entries(credential).map(([name, value]): [string, Record<string, string | string[]>] => [
    `${name} twice`,
    { [name]: [value, name === "x-oa-user-id" ? "victim" : value] },
  ]);
  return [
    ["nothing besides", {}],
    ...forged,
    ...doubled,
    ["20 kB of a header", { "x-oa-user-name": "v".repeat(20_000) }],
  ];
}

/** Paths that a careless router, proxy or log would take for another. */
export const PATH_TRICKS = [
  "//api/openclaw/instance",
  "/api//openclaw/instance",
  "/api/../api/openclaw/instance",
  "/api/openclaw/./instance",
  "/api/openclaw/%2e%2e/admin/users",
  "/api/openclaw/..%2fadmin%2fusers",
  "/api/openclaw/sessions/..%2f..%2f..%2fadmin%2frpc/history",
  "/api/openclaw/sessions/%2e%2e%2fvictim/history",
  "/api/openclaw/sessions/a%00b/history",
  "/api/openclaw/sessions/%ff%fe/history",
  "/api/openclaw/instance;user=victim",
  "/api/openclaw/instance%3fuser_id=victim",
  "/API/openclaw/instance",
  "/api/openclaw/instance/",
  "/api/openclaw/instance%20",
  "/api/openclaw/instance#victim",
  "http://victim/api/openclaw/instance",
  "/v1/%2e%2e/hatchery/rpc",
  "/v1/models/../../hatchery/rpc",
  "/control/openclaw/instance?user_id=victim",
  "/hatchery/rpc",
  "/api/v1/admin/rpc",
  "/metrics",
] as const;
