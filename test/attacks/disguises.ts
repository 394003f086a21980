type Headers = Record<string, string | string[]>;

/** Headers of ours, the original system's and OpenClaw's that name the victim. */
const NAMES: Headers = {
  "x-oa-instance-id": "human:victim",
  "x-oa-tenant-key": "human:victim",
  "x-oa-thread-id": "victim",
  "x-oa-original-url": "http://x/api/openclaw/instance?user_id=victim",
  "x-oa-control-key": "x".repeat(40),
  "x-openclaw-instance-id": "human:victim",
  "x-openclaw-scopes": "operator.admin",
  "x-openclaw-model": "other/model",
  "x-original-url": "/api/admin/users",
  "x-http-method-override": "DELETE",
  cookie: "session=victim",
};

/** Those that reach the gateway. */
const FORWARDED: Headers = {
  "x-openclaw-session-key": "agent:main:of-the-victim",
  "x-openclaw-agent-id": "victim",
  "x-openclaw-account-id": "victim",
  "x-openclaw-message-channel": "victim",
};

/** What proxies say of whom they speak for. */
const FORWARDING: Headers = {
  "x-forwarded-for": "127.0.0.1",
  "x-forwarded-user": "victim",
  "x-forwarded-host": "victim",
  "x-forwarded-proto": "https",
  "x-real-ip": "127.0.0.1",
  forwarded: "for=127.0.0.1;host=victim",
  via: "1.1 victim",
};

/** Everything in headers by which somebody might hope to be taken for the victim, or to be let further. */
export function disguises(credential: Readonly<Record<string, string>>): Headers[] {
  const hopByHop = `keep-alive, ${Object.keys(credential).join(", ")}`;
  const doubled = Object.entries(credential).map(([name, value]): Headers => {
    return { [name]: [value, name === "x-oa-user-id" ? "victim" : value] };
  });
  return [
    { "x-oa-user-email": "victim@example.org" },
    NAMES,
    FORWARDED,
    FORWARDING,
    { host: "victim" },
    { connection: hopByHop, te: "trailers", "proxy-authorization": "Basic dmljdGltOng=" },
    { connection: "upgrade", upgrade: "h2c" },
    { "x-oa-user-name": "v".repeat(20_000) },
    ...doubled,
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
