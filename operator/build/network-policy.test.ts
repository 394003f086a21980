import { BlockList, isIPv6 } from "node:net";
import { describe, expect, it } from "vitest";
import type { Egress } from "#crds/index.ts";
import type { NetworkPolicy } from "#lib/kube/resource.ts";
import { aClass, anInstance, SLOT } from "../instance/view.fixture.ts";
import { buildClassPolicy, buildInstancePolicy, privateDestinations } from "./network-policy.ts";

const settings = { namespace: "hatchery", dnsCidrs: ["169.254.20.10/32"] };

function classPolicy(egress?: Egress[]): NetworkPolicy {
  return buildClassPolicy(aClass(egress ? { network: { egress } } : {}), "tenants", settings);
}

const withEgress = (egress: Egress[]) => anInstance({ network: { egress } });

/** Whether the address blocks of a policy let a pod connect, as an enforcer reads them. */
function allows(policy: NetworkPolicy | undefined, address: string, port: number): boolean {
  const family = isIPv6(address) ? "ipv6" : "ipv4";
  const isIn = (cidr: string) => {
    const [net = "", bits = ""] = cidr.split("/");
    if (isIPv6(net) !== isIPv6(address)) return false;
    const block = new BlockList();
    block.addSubnet(net, Number(bits), family);
    return block.check(address, family);
  };
  return (policy?.spec?.egress ?? []).some(
    ({ to, ports }) =>
      ports?.some((one) => one.protocol === "TCP" && one.port === port) &&
      to?.some(({ ipBlock }) => ipBlock && isIn(ipBlock.cidr) && !(ipBlock.except ?? []).some(isIn)),
  );
}

const INSIDE = [
  "10.96.0.1",
  "10.244.3.4",
  "172.16.5.5",
  "192.168.1.1",
  "100.64.0.1",
  "100.100.100.200",
  "169.254.169.254",
  "168.63.129.16",
  "127.0.0.1",
  "198.18.0.1",
  "224.0.0.1",
  "fd00:ec2::254",
  "fe80::1",
  "::1",
  "64:ff9b::a9fe:a9fe",
];

describe("the policy of a class", () => {
  it("lets out to public addresses on web ports when the class names none", () => {
    for (const address of ["203.0.113.9", "8.8.8.8", "2606:4700::1"]) {
      expect([allows(classPolicy(), address, 443), allows(classPolicy(), address, 80)], address).toEqual([true, true]);
      expect(allows(classPolicy(), address, 22), address).toBe(false);
    }
  });

  it.each(INSIDE)("does not let out to %s, neither by default nor by a block around it", (address) => {
    expect(allows(classPolicy(), address, 443)).toBe(false);
    const wide = classPolicy([
      { cidr: "0.0.0.0/0", ports: [443] },
      { cidr: "::/0", ports: [443] },
    ]);
    expect(allows(wide, address, 443)).toBe(false);
  });

  it("lets out to a private block that the class names, and to nothing when it names an empty list", () => {
    expect(allows(classPolicy([{ cidr: "10.1.0.0/16", ports: [5432] }]), "10.1.2.3", 5432)).toBe(true);
    expect(allows(classPolicy([{ cidr: "10.1.0.0/16", ports: [5432] }]), "10.2.2.3", 5432)).toBe(false);
    expect(allows(classPolicy([]), "203.0.113.9", 443)).toBe(false);
  });

  it("lets out to DNS and the model gateway, and lets in only API and operator", () => {
    const { spec } = classPolicy([]);
    expect(spec?.egress).toEqual([
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
            podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          },
          { ipBlock: { cidr: "169.254.20.10/32" } },
        ],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
      { to: [controlPlane("model-gateway")], ports: [{ protocol: "TCP", port: 8080 }] },
    ]);
    expect(spec?.ingress).toEqual([
      { from: [controlPlane("api"), controlPlane("operator")], ports: [{ protocol: "TCP", port: 18789 }] },
    ]);
    expect(spec?.policyTypes).toEqual(["Ingress", "Egress"]);
  });
});

function controlPlane(component: string) {
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "hatchery" } },
    podSelector: {
      matchLabels: { "app.kubernetes.io/part-of": "hatchery", "app.kubernetes.io/component": component },
    },
  };
}

describe("the policy of an instance", () => {
  it("is there only for destinations of its own, and selects its slot", () => {
    expect(buildInstancePolicy(anInstance(), SLOT)).toBeUndefined();
    expect(buildInstancePolicy(withEgress([]), SLOT)).toBeUndefined();
    const policy = buildInstancePolicy(withEgress([{ cidr: "203.0.113.0/24", ports: [22] }]), SLOT);
    expect(policy?.spec?.podSelector?.matchLabels).toMatchObject({ "hatchery.openagents.com/slot": SLOT });
    expect([allows(policy, "203.0.113.9", 22), allows(policy, "203.0.114.9", 22)]).toEqual([true, false]);
  });

  it.each([
    ["10.0.0.0/8", true],
    ["10.9.9.9/8", true],
    ["192.168.7.7/16", true],
    ["172.31.0.1/12", true],
    ["10.96.0.1/32", true],
    ["192.168.0.0/24", true],
    ["168.63.129.16/32", true],
    ["fd00::/8", true],
    ["::1/128", true],
    ["0.0.0.0/0", false],
    ["203.0.113.0/24", false],
    ["2606:4700::/32", false],
  ])("may not name %s: %s", (cidr, refused) => {
    const instance = withEgress([
      { cidr: "203.0.113.0/24", ports: [22] },
      { cidr, ports: [443] },
    ]);
    expect(privateDestinations(instance)).toEqual(refused ? ["network.egress[1].cidr"] : []);
    const opened = buildInstancePolicy(instance, SLOT)?.spec?.egress?.flatMap(({ to }) =>
      to?.map((p) => p.ipBlock?.cidr),
    );
    expect(opened).toEqual(["203.0.113.0/24", ...(refused ? [] : [cidr])]);
  });
});
