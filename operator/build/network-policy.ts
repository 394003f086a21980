import { BlockList, isIPv6 } from "node:net";
import { type Egress, GATEWAY_PORT, LABEL, type OpenClawClass, type OpenClawInstance } from "#crds/index.ts";
import type { NetworkPolicy } from "#lib/kube/resource.ts";
import { childMetadata, MANAGED_BY } from "./identity.ts";

type Spec = NonNullable<NetworkPolicy["spec"]>;
type Rule = NonNullable<Spec["egress"]>[number];
type IngressRule = NonNullable<Spec["ingress"]>[number];
type Peer = NonNullable<Rule["to"]>[number];

/** Where the control plane is and who answers DNS besides the pods of kube-dns. */
export interface NetworkSettings {
  /** Namespace of operator, API and model gateway. */
  readonly namespace: string;
  /** DNS servers that are no pods, as CIDRs. */
  readonly dnsCidrs: readonly string[];
}

/** Port the model gateway listens on. */
const MODEL_GATEWAY_PORT = 8080;

/**
 * What is never public: this host, private and shared ranges, link-local (the metadata service), protocol and test
 * assignments, multicast, and the one public address that is a cloud's metadata service all the same. Clusters put their
 * apiserver, nodes, pods and services there.
 */
const NOT_PUBLIC_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** The public internet is 2000::/3; all else is private, link-local, mapped, multicast or reserved. */
const NOT_PUBLIC_V6 = ["::/3", "4000::/2", "8000::/1"];

/** Destinations when a class names none: the public internet, web ports. */
const WEB_PORTS = [80, 443];

/** Name of the policy that all pods of a class in a namespace share. The dot keeps it apart from any child's name. */
export function classPolicyName(className: string): string {
  return `openclaw-class.${className}`;
}

/**
 * The policy of a class in a namespace: in come only the API and the operator; out go DNS, the model gateway and what the
 * class allows. It belongs to no instance, as all of the class in the namespace share it.
 */
export function buildClassPolicy(plan: OpenClawClass, namespace: string, settings: NetworkSettings): NetworkPolicy {
  const className = plan.metadata.name;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: classPolicyName(className),
      namespace,
      labels: { "app.kubernetes.io/part-of": "hatchery", ...MANAGED_BY, [LABEL.class]: className },
    },
    spec: {
      podSelector: { matchLabels: { ...MANAGED_BY, [LABEL.class]: className } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [ingressFromControlPlane(settings)],
      egress: [dnsRule(settings), modelGatewayRule(settings), ...classEgress(plan.spec.network?.egress)],
    },
  };
}

/** The policy that opens an instance's own destinations in addition, but never a private one; undefined when it names none. */
export function buildInstancePolicy(instance: OpenClawInstance, slot: string): NetworkPolicy | undefined {
  const destinations = (instance.spec.network?.egress ?? []).filter(({ cidr }) => !isPrivate(cidr));
  if (destinations.length === 0) return undefined;
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: childMetadata(instance),
    spec: {
      podSelector: { matchLabels: { ...MANAGED_BY, [LABEL.slot]: slot } },
      policyTypes: ["Egress"],
      egress: destinations.map(destinationRule),
    },
  };
}

function controlPlanePeer(settings: NetworkSettings, component: string): Peer {
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": settings.namespace } },
    podSelector: {
      matchLabels: { "app.kubernetes.io/part-of": "hatchery", "app.kubernetes.io/component": component },
    },
  };
}

function ingressFromControlPlane(settings: NetworkSettings): IngressRule {
  return {
    from: [controlPlanePeer(settings, "api"), controlPlanePeer(settings, "operator")],
    ports: [{ protocol: "TCP", port: GATEWAY_PORT }],
  };
}

function dnsRule(settings: NetworkSettings): Rule {
  const kubeDns: Peer = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
    podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
  };
  return {
    to: [kubeDns, ...settings.dnsCidrs.map((cidr) => ({ ipBlock: { cidr } }))],
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  };
}

function modelGatewayRule(settings: NetworkSettings): Rule {
  return {
    to: [controlPlanePeer(settings, "model-gateway")],
    ports: [{ protocol: "TCP", port: MODEL_GATEWAY_PORT }],
  };
}

function classEgress(destinations: readonly Egress[] | undefined): Rule[] {
  if (destinations) return destinations.map(destinationRule);
  return ["0.0.0.0/0", "2000::/3"].map((cidr) => destinationRule({ cidr, ports: WEB_PORTS }));
}

/** A block that is wider than a range that is not public leaves that range out; a block inside one was named on purpose. */
function destinationRule({ cidr, ports }: Egress): Rule {
  const except = exceptIn(cidr);
  return {
    to: [{ ipBlock: except.length > 0 ? { cidr, except: [...except] } : { cidr } }],
    ports: ports.map((port) => ({ protocol: "TCP", port })),
  };
}

/** Comparing blocks costs more than the rest of a plan, and there are few of them in a cluster. */
const exceptions = new Map<string, readonly string[]>();
const MAX_EXCEPTIONS = 1_000;

function exceptIn(cidr: string): readonly string[] {
  const known = exceptions.get(cidr);
  if (known) return known;
  const except = notPublic(cidr).filter((range) => covers(cidr, range) && !covers(range, cidr));
  if (exceptions.size >= MAX_EXCEPTIONS) exceptions.clear();
  exceptions.set(cidr, except);
  return except;
}

/**
 * Paths of an instance's own destinations that lie in a range that is not public. Only a class may open those: who may
 * write an instance must not reach the cluster's inside by it.
 */
export function privateDestinations(instance: OpenClawInstance): string[] {
  return (instance.spec.network?.egress ?? []).flatMap(({ cidr }, index) =>
    isPrivate(cidr) ? [`network.egress[${index}].cidr`] : [],
  );
}

function isPrivate(cidr: string): boolean {
  return notPublic(cidr).some((range) => covers(range, cidr));
}

function notPublic(cidr: string): readonly string[] {
  return isIPv6(split(cidr).address) ? NOT_PUBLIC_V6 : NOT_PUBLIC_V4;
}

function split(cidr: string): { address: string; bits: number } {
  const [address = "", bits = ""] = cidr.split("/");
  return { address, bits: Number(bits) };
}

/** True when all of block `inner` lies in block `outer`; both of one family. Bits beyond the prefix count for nothing. */
function covers(outer: string, inner: string): boolean {
  const wide = split(outer);
  const narrow = split(inner);
  if (wide.bits > narrow.bits) return false;
  const family = isIPv6(wide.address) ? "ipv6" : "ipv4";
  const block = new BlockList();
  block.addSubnet(wide.address, wide.bits, family);
  return block.check(narrow.address, family);
}
