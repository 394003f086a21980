import type { Manifest } from "./api.ts";
import { DNS_IP } from "./network.ts";

const NAME = "coredns";
const NAMESPACE = "kube-system";
/** The labels NetworkPolicies all over the world choose DNS by. */
const LABELS = { "k8s-app": "kube-dns" };

/** The cluster's own names and those of `outside.ts`: anything else is refused at once and no packet leaves the machine. */
const COREFILE = `.:53 {
  errors
  health
  ready
  kubernetes cluster.local in-addr.arpa {
    pods insecure
    ttl 5
  }
  hosts /etc/names/hosts {
    reload 1s
    ttl 1
    no_reverse
    fallthrough
  }
  cache 5
}
`;

/** What the pod is made of: an image that is there, and paths of the host. */
interface DnsOptions {
  image: string;
  kube: string;
  namesDir: string;
}

/**
 * CoreDNS as pods behind the Service every pod is told about. The image has no CoreDNS in it: the multi-call binary is
 * mounted from the node.
 */
export function dnsManifests(o: DnsOptions): Manifest[] {
  const metadata = { name: NAME };
  const core = `/api/v1/namespaces/${NAMESPACE}`;
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const role = "system:coredns";
  const rules = [
    { apiGroups: [""], resources: ["services", "pods", "namespaces"], verbs: ["list", "watch"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  ];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role };
  const subjects = [{ kind: "ServiceAccount", name: NAME, namespace: NAMESPACE }];
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
  ];
  const template = { metadata: { labels: LABELS }, spec: podSpec(o) };
  return [
    { path: `${core}/serviceaccounts`, object: { metadata } },
    { path: `${rbac}/clusterroles`, object: { metadata: { name: role }, rules } },
    { path: `${rbac}/clusterrolebindings`, object: { metadata: { name: role }, roleRef, subjects } },
    { path: `${core}/configmaps`, object: { metadata, data: { Corefile: COREFILE } } },
    {
      path: `${core}/services`,
      object: { metadata: { name: "kube-dns", labels: LABELS }, spec: { clusterIP: DNS_IP, selector: LABELS, ports } },
    },
    {
      path: `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`,
      object: { metadata, spec: { replicas: 1, selector: { matchLabels: LABELS }, template } },
    },
  ];
}

function podSpec({ image, kube, namesDir }: DnsOptions): object {
  return {
    serviceAccountName: NAME,
    priorityClassName: "system-cluster-critical",
    dnsPolicy: "Default",
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: NAME,
        image,
        imagePullPolicy: "Never",
        command: ["/kube", "coredns", "-conf", "/etc/coredns/Corefile"],
        ports: [
          { name: "dns", containerPort: 53, protocol: "UDP" },
          { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
        ],
        readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 1 },
        livenessProbe: {
          httpGet: { path: "/health", port: 8080 },
          periodSeconds: 10,
          timeoutSeconds: 5,
          failureThreshold: 6,
        },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
        },
        volumeMounts: [
          { name: "kube", mountPath: "/kube", readOnly: true },
          { name: "config", mountPath: "/etc/coredns", readOnly: true },
          { name: "names", mountPath: "/etc/names", readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: "kube", hostPath: { path: kube, type: "File" } },
      { name: "config", configMap: { name: NAME } },
      { name: "names", hostPath: { path: namesDir, type: "Directory" } },
    ],
  };
}
