import { join } from "node:path";
import type { Manifest } from "./api.ts";
import { toFlags } from "./flags.ts";
import { nodeName } from "./network.ts";
import { KUBELET_DIR } from "./node-config.ts";

/** Name of the storage driver. */
export const CSI_DRIVER = "loop.hatchery.test";
/** Name of the default StorageClass. */
export const STORAGE_CLASS = "loop";
/** Socket of the driver's controller in the control plane's own /run. */
const CONTROLLER_SOCKET = "/run/csi-controller.sock";

/** Driver and default class: volumes are made where the pod is, can grow, and are deleted with their claim. */
export const STORAGE_MANIFESTS: readonly Manifest[] = [
  {
    path: "/apis/storage.k8s.io/v1/csidrivers",
    object: {
      metadata: { name: CSI_DRIVER },
      spec: { attachRequired: false, podInfoOnMount: false, fsGroupPolicy: "File", storageCapacity: false },
    },
  },
  {
    path: "/apis/storage.k8s.io/v1/storageclasses",
    object: {
      metadata: { name: STORAGE_CLASS, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: CSI_DRIVER,
      allowVolumeExpansion: true,
      reclaimPolicy: "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
    },
  },
];

/** The processes beside the control plane: the driver's controller, and what calls it. */
export function csiControllerArguments(o: { binDir: string; volumesDir: string; kubeconfig: string }): string[][] {
  const sidecar = toFlags({
    "csi-address": CONTROLLER_SOCKET,
    kubeconfig: o.kubeconfig,
    "kube-api-qps": 100,
    "kube-api-burst": 200,
  });
  const driver = toFlags({ dir: o.volumesDir, name: CSI_DRIVER, socket: CONTROLLER_SOCKET });
  return [
    [join(o.binDir, "csi"), ...driver],
    [join(o.binDir, "csi-provisioner"), ...sidecar, "--default-fstype=xfs"],
    [join(o.binDir, "csi-resizer"), ...sidecar],
  ];
}

/** The driver on a node. The kubelet finds it by the registration socket. */
export function csiNodeArguments(o: { binDir: string; volumesDir: string; index: number }): string[] {
  const flags = toFlags({
    dir: o.volumesDir,
    name: CSI_DRIVER,
    node: nodeName(o.index),
    socket: join(KUBELET_DIR, "plugins", CSI_DRIVER, "csi.sock"),
    registration: join(KUBELET_DIR, "plugins_registry", `${CSI_DRIVER}-reg.sock`),
  });
  return [join(o.binDir, "csi"), ...flags];
}
