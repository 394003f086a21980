import { GROUP, VERSION } from "./names.ts";

/** An object and what both zod and the apiserver must think of it. */
export interface VerdictCase {
  what: string;
  kind: "OpenClawInstance" | "OpenClawClass";
  object: object;
  /** The field to blame; absent when the object is fine. */
  refused?: string;
}

type Fields = Record<string, unknown>;

/** A valid instance but for the given spec fields and name. */
export function instanceObject(spec: Fields = {}, name = "alice"): Fields {
  return { ...head("OpenClawInstance", name), spec: { owner: { subject: "alice" }, ...spec } };
}

/** A valid class but for the given spec fields and name. */
export function classObject(spec: Fields = {}, name = "standard"): Fields {
  const amounts = { cpu: "500m", memory: "1Gi" };
  return {
    ...head("OpenClawClass", name),
    spec: {
      image: "example.org/openclaw:1",
      resources: { requests: amounts, limits: amounts },
      storage: { size: "5Gi" },
      models: [MODEL],
      ...spec,
    },
  };
}

function head(kind: string, name: string): Fields {
  return { apiVersion: `${GROUP}/${VERSION}`, kind, metadata: { name } };
}

const MODEL = { name: "default", provider: "main", providerModel: "some/model:1" };
const LONG_NAME = "n".repeat(50);

function instance(what: string, spec: Fields, refused?: string): VerdictCase {
  return { what, kind: "OpenClawInstance", object: instanceObject(spec), ...(refused ? { refused } : {}) };
}

function plan(what: string, spec: Fields, refused?: string): VerdictCase {
  return { what, kind: "OpenClawClass", object: classObject(spec), ...(refused ? { refused } : {}) };
}

function named(what: string, object: Fields, refused?: string): VerdictCase {
  return { what, kind: object.kind as VerdictCase["kind"], object, ...(refused ? { refused } : {}) };
}

function egress(cidr: string, ports: unknown = [443]): Fields {
  return { network: { egress: [{ cidr, ports }] } };
}

function resources(requests: Fields, limits: Fields): Fields {
  return { resources: { requests, limits } };
}

/** A row for each constraint of the schemas: one value just inside where that says something, and one outside. */
export const VERDICT_CASES: readonly VerdictCase[] = [
  instance("the least instance", {}),
  instance("an unknown field", { colour: "red" }, "spec.colour"),
  instance("an unknown field deep inside", { storage: { sise: "1Gi" } }, "spec.storage.sise"),
  named("a name of 50 characters", instanceObject({}, LONG_NAME)),
  named("a name of 51 characters", instanceObject({}, `${LONG_NAME}n`), "metadata.name"),
  named("a name with a dot", instanceObject({}, "a.b"), "metadata.name"),
  named("a name in capitals", instanceObject({}, "Alice"), "metadata.name"),
  named("no spec", { ...head("OpenClawInstance", "alice") }, "spec"),

  instance("no owner", { owner: undefined }, "spec.owner"),
  instance("an owner without subject", { owner: {} }, "spec.owner.subject"),
  instance("an empty subject", { owner: { subject: "" } }, "spec.owner.subject"),
  instance("a numeric subject", { owner: { subject: 7 } }, "spec.owner.subject"),
  instance("a subject of 256 characters", { owner: { subject: "é".repeat(256) } }),
  instance("a subject of 257 characters", { owner: { subject: "é".repeat(257) } }, "spec.owner.subject"),
  instance("a subject with spaces, slashes and bars", { owner: { subject: "auth0|x y/ü@例" } }),
  instance("a subject with a line feed", { owner: { subject: "a\nb" } }, "spec.owner.subject"),
  instance("an agent", { owner: { subject: "bot", kind: "Agent" } }),
  instance("a robot", { owner: { subject: "bot", kind: "Robot" } }, "spec.owner.kind"),

  instance("a class", { className: "large" }),
  instance("a class that no label can hold", { className: "Large!" }, "spec.className"),
  instance("a class of 51 characters", { className: `${LONG_NAME}n` }, "spec.className"),
  instance("a run policy", { runPolicy: "Stopped" }),
  instance("an unknown run policy", { runPolicy: "Sometimes" }, "spec.runPolicy"),
  instance("an image by digest", { image: `registry:5000/a/b@sha256:${"0".repeat(64)}` }),
  instance("an image with a space", { image: "a b" }, "spec.image"),
  instance("an empty image", { image: "" }, "spec.image"),
  instance("a model", { model: { default: "gpt-5.1" } }),
  instance("a model with a slash", { model: { default: "a/b" } }, "spec.model.default"),

  instance("tools", { gateway: { toolsAllow: ["sessions_send", "mcp:x.y"], toolsDeny: [] } }),
  instance("a tool twice", { gateway: { toolsAllow: ["a", "a"] } }, "spec.gateway.toolsAllow"),
  instance("65 tools", { gateway: { toolsDeny: many(65, (i) => `t${i}`) } }, "spec.gateway.toolsDeny"),
  instance("a tool with a space", { gateway: { toolsDeny: ["ok", "a b"] } }, "spec.gateway.toolsDeny[1]"),
  instance("any OpenClaw configuration", { gateway: { config: { agents: { list: [1, "a", { b: null }] }, x: true } } }),
  instance("a configuration of 65 keys", { gateway: { config: keys(65) } }, "spec.gateway.config"),
  instance("a configuration that is a list", { gateway: { config: [] } }, "spec.gateway.config"),

  instance("a size", { storage: { size: "1.5Gi" } }),
  instance("a size without suffix", { storage: { size: "10" } }, "spec.storage.size"),
  instance("a size of nothing", { storage: { size: "0Gi" } }, "spec.storage.size"),
  instance("a negative size", { storage: { size: "-1Gi" } }, "spec.storage.size"),
  instance("a size with an unknown suffix", { storage: { size: "10GB" } }, "spec.storage.size"),
  instance("a size as number", { storage: { size: 10 } }, "spec.storage.size"),
  instance("a storage class", { storage: { storageClassName: "csi.fast-1" } }),
  instance("a storage class in capitals", { storage: { storageClassName: "Fast" } }, "spec.storage.storageClassName"),
  instance("an empty storage class", { storage: { storageClassName: "" } }, "spec.storage.storageClassName"),

  instance("an IPv4 destination", egress("203.0.113.0/24", [80, 443])),
  instance("an IPv6 destination", egress("2001:db8::/32")),
  instance("everything", egress("0.0.0.0/0")),
  instance("an address without prefix", egress("203.0.113.1"), "spec.network.egress[0].cidr"),
  instance("a prefix too long", egress("203.0.113.0/33"), "spec.network.egress[0].cidr"),
  instance("a prefix with a leading zero", egress("203.0.113.0/08"), "spec.network.egress[0].cidr"),
  instance("an octet with a leading zero", egress("203.0.113.010/32"), "spec.network.egress[0].cidr"),
  instance("a name instead of addresses", egress("example.org/24"), "spec.network.egress[0].cidr"),
  instance("an address mapped into IPv6", egress("::ffff:1.2.3.4/120"), "spec.network.egress[0].cidr"),
  instance("the metadata service", egress("169.254.169.254/32"), "spec.network.egress[0].cidr"),
  instance("link-local IPv6", egress("FE80::/10"), "spec.network.egress[0].cidr"),
  instance("a destination without ports", egress("203.0.113.0/24", []), "spec.network.egress[0].ports"),
  instance("port 0", egress("203.0.113.0/24", [443, 0]), "spec.network.egress[0].ports[1]"),
  instance("port 65536", egress("203.0.113.0/24", [65_536]), "spec.network.egress[0].ports[0]"),
  instance("a port as text", egress("203.0.113.0/24", ["443"]), "spec.network.egress[0].ports[0]"),
  instance("half a port", egress("203.0.113.0/24", [44.5]), "spec.network.egress[0].ports[0]"),
  instance(
    "33 destinations",
    { network: { egress: many(33, () => ({ cidr: "203.0.113.0/24", ports: [443] })) } },
    "spec.network.egress",
  ),

  instance("a restart", { restartedAt: "2026-11-23T10:00:00Z" }),
  instance("a restart with offset and fraction", { restartedAt: "2028-02-29T10:00:00.123456+02:00" }),
  instance("a restart without time zone", { restartedAt: "2026-11-23T10:00:00" }, "spec.restartedAt"),
  instance("a restart on 30 February", { restartedAt: "2026-02-30T10:00:00Z" }, "spec.restartedAt"),
  instance("a restart at 25 o'clock", { restartedAt: "2026-02-20T25:00:00Z" }, "spec.restartedAt"),
  instance("a restart in words", { restartedAt: "now" }, "spec.restartedAt"),
  instance("a deletion policy", { deletionPolicy: "Retain" }),
  instance("an unknown deletion policy", { deletionPolicy: "Recycle" }, "spec.deletionPolicy"),

  plan("the least class", {}),
  plan("an unknown field", { colour: "red" }, "spec.colour"),
  named("a name of 51 characters", classObject({}, `${LONG_NAME}n`), "metadata.name"),
  plan("no image", { image: undefined }, "spec.image"),
  plan("pull secrets", { imagePullSecrets: [{ name: "a.b" }, { name: "c" }] }),
  plan("a pull secret twice", { imagePullSecrets: [{ name: "a" }, { name: "a" }] }, "spec.imagePullSecrets"),
  plan("a pull secret as text", { imagePullSecrets: ["a"] }, "spec.imagePullSecrets[0]"),

  plan("no resources", { resources: undefined }, "spec.resources"),
  plan("whole numbers without quotes", resources({ cpu: 1, memory: "1Gi" }, { cpu: 2, memory: "2Gi" })),
  plan(
    "requests equal to limits in other words",
    resources({ cpu: "1000m", memory: "1024Mi" }, { cpu: 1, memory: "1Gi" }),
  ),
  plan(
    "more resources",
    resources({ cpu: 1, memory: "1Gi", "ephemeral-storage": "1Gi" }, { cpu: 2, memory: "2Gi", "nvidia.com/gpu": 1 }),
  ),
  plan("requests without memory", resources({ cpu: 1 }, { cpu: 1, memory: "1Gi" }), "spec.resources.requests"),
  plan("limits without cpu", resources({ cpu: 1, memory: "1Gi" }, { memory: "1Gi" }), "spec.resources.limits"),
  plan(
    "requests above limits",
    resources({ cpu: "2001m", memory: "1Gi" }, { cpu: 2, memory: "1Gi" }),
    "spec.resources",
  ),
  plan(
    "a quantity with an unknown suffix",
    resources({ cpu: 1, memory: "1GB" }, { cpu: 1, memory: "1Gi" }),
    "spec.resources.requests.memory",
  ),
  plan(
    "a negative quantity",
    resources({ cpu: -1, memory: "1Gi" }, { cpu: 1, memory: "1Gi" }),
    "spec.resources.requests.cpu",
  ),
  plan(
    "half a core as number",
    resources({ cpu: 0.5, memory: "1Gi" }, { cpu: 1, memory: "1Gi" }),
    "spec.resources.requests.cpu",
  ),
  plan(
    "a quantity that is a truth",
    resources({ cpu: true, memory: "1Gi" }, { cpu: 1, memory: "1Gi" }),
    "spec.resources.requests.cpu",
  ),

  plan("no storage size", { storage: {} }, "spec.storage.size"),
  plan("no models", { models: [] }, "spec.models"),
  plan("a model twice", { models: [MODEL, MODEL] }, "spec.models"),
  plan("a model without provider", { models: [{ name: "a", providerModel: "b" }] }, "spec.models[0].provider"),
  plan("a model name with a slash", { models: [{ ...MODEL, name: "a/b" }] }, "spec.models[0].name"),
  plan("a provider in capitals", { models: [{ ...MODEL, provider: "OpenAI" }] }, "spec.models[0].provider"),
  plan("a context window too small", { models: [{ ...MODEL, contextWindow: 1023 }] }, "spec.models[0].contextWindow"),
  plan(
    "answers longer than the window",
    { models: [{ ...MODEL, contextWindow: 2048, maxTokens: 4096 }] },
    "spec.models[0].maxTokens",
  ),
  plan(
    "answers longer than the window by default",
    { models: [{ ...MODEL, contextWindow: 2048 }] },
    "spec.models[0].maxTokens",
  ),
  plan("a default model", { models: [MODEL, { ...MODEL, name: "big" }], defaultModel: "big" }),
  plan("an unknown default model", { defaultModel: "big" }, "spec.defaultModel"),

  plan("asking before each command", { agent: { exec: "Ask" } }),
  plan("an unknown exec policy", { agent: { exec: "Maybe" } }, "spec.agent.exec"),
  plan("configuration", { gateway: { config: { a: 1 } } }),
  plan("no destinations at all", { network: { egress: [] } }),
  plan("the metadata service", egress("169.254.0.0/16"), "spec.network.egress[0].cidr"),
  plan("scheduling", {
    scheduling: {
      nodeSelector: { "kubernetes.io/arch": "amd64" },
      tolerations: [{ key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 }],
      affinity: { nodeAffinity: { anything: [1] } },
      runtimeClassName: "gvisor",
      priorityClassName: "high",
    },
  }),
  plan("a selector that is a number", { scheduling: { nodeSelector: { a: 1 } } }, "spec.scheduling.nodeSelector.a"),
  plan("17 selectors", { scheduling: { nodeSelector: keys(17) } }, "spec.scheduling.nodeSelector"),
  plan(
    "an unknown taint effect",
    { scheduling: { tolerations: [{ effect: "Never" }] } },
    "spec.scheduling.tolerations[0].effect",
  ),
  plan("numbers at their edges", {
    drainSeconds: 0,
    nodeLostSeconds: 3600,
    maxInstancesPerOwner: 100,
    rollout: { maxUnavailable: 1000 },
  }),
  plan("a drain of more than an hour", { drainSeconds: 3601 }, "spec.drainSeconds"),
  plan("a negative time", { nodeLostSeconds: -1 }, "spec.nodeLostSeconds"),
  plan("no instances per owner", { maxInstancesPerOwner: 0 }, "spec.maxInstancesPerOwner"),
  plan("a rollout that never goes on", { rollout: { maxUnavailable: 0 } }, "spec.rollout.maxUnavailable"),
  plan("an unknown deletion policy", { deletionPolicy: "Recycle" }, "spec.deletionPolicy"),
];

function many<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function keys(count: number): Fields {
  return Object.fromEntries(many(count, (i) => [`k${i}`, "v"]));
}
