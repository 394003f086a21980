import { DNS_IP, nodeName, POD_CIDR, podCidr } from "./network.ts";

/** Socket of containerd in a node's own /run. */
export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";
/** Where a kubelet keeps its files; a node has a folder of its own mounted there. */
export const KUBELET_DIR = "/var/lib/kubelet";

/** containerd's configuration (TOML). */
export function renderContainerdConfig(o: { pauseImage: string; cniDir: string; registriesDir: string }): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd/state"
[grpc]
  address = "${CONTAINERD_SOCKET}"
[${cri}]
  sandbox_image = "${o.pauseImage}"
  # The machine's root may lack CAP_SYS_RESOURCE, and then scores cannot be lowered.
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${o.cniDir}"
[${cri}.registry]
  config_path = "${o.registriesDir}"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`;
}

/**
 * The pod network of a node: every pod on a link of its own, routed. With a bridge, traffic between pods of one node
 * would pass NetworkPolicy or not depending on a sysctl.
 */
export function renderCni(index: number): string {
  const ipam = { type: "host-local", ranges: [[{ subnet: podCidr(index) }]], routes: [{ dst: "0.0.0.0/0" }] };
  const plugins = [
    { type: "ptp", ipMasq: false, ipam },
    { type: "portmap", capabilities: { portMappings: true } },
  ];
  return JSON.stringify({ cniVersion: "0.4.0", name: "hatchery", plugins });
}

/** The kubelet's configuration (JSON is YAML). */
export function renderKubeletConfig(o: { cgroupRoot: string; clientCa: string }): string {
  return JSON.stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    failCgroupV1: false,
    cgroupDriver: "cgroupfs",
    cgroupRoot: o.cgroupRoot,
    enforceNodeAllocatable: [],
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: o.clientCa } },
    authorization: { mode: "Webhook" },
    clusterDNS: [DNS_IP],
    clusterDomain: "cluster.local",
    resolvConf: "",
    failSwapOn: false,
    maxPods: 250,
    // The disk is the whole machine's: what others do with it must not evict our pods or drop our images.
    evictionHard: {
      "memory.available": "100Mi",
      "nodefs.available": "1%",
      "nodefs.inodesFree": "1%",
      "imagefs.available": "1%",
    },
    imageMinimumGCAge: "8760h",
    imageGCHighThresholdPercent: 100,
    // Nothing here is worth holding back.
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    nodeStatusUpdateFrequency: "5s",
    // Also how soon a grown volume is seen.
    syncFrequency: "10s",
  });
}

/** kube-proxy's configuration. Connection tracking limits belong to the whole machine and are left alone. */
export function renderProxyConfig(o: { index: number; kubeconfig: string }): string {
  return JSON.stringify({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "iptables",
    clusterCIDR: POD_CIDR,
    hostnameOverride: nodeName(o.index),
    clientConnection: { kubeconfig: o.kubeconfig, qps: 100, burst: 200 },
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    iptables: { minSyncPeriod: "100ms" },
  });
}
