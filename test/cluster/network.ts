/** Addresses inside every cluster. They are the same in each, since clusters share no network. */

/** The control plane: gateway of the nodes, address of the apiserver. */
export const CONTROL_PLANE_IP = "10.200.0.1";
/** Where pods find the one service outside that they are let out to. */
export const OUTSIDE_IP = "10.200.0.2";
/** Port of the apiserver. */
export const API_PORT = 6443;
/** Address of the apiserver for everything inside. */
export const API_URL = `https://${CONTROL_PLANE_IP}:${API_PORT}`;
/** All pods of all nodes. */
export const POD_CIDR = "10.244.0.0/16";
/** ClusterIP of the cluster's DNS. */
export const DNS_IP = "10.96.0.10";
/** Nodes that addresses and credentials are prepared for. */
export const MAX_NODES = 9;

/** Name of the i-th node, counted from 1. */
export const nodeName = (index: number) => `node${index}`;
/** Address of the i-th node. */
export const nodeIp = (index: number) => `10.200.0.${10 + index}`;
/** Addresses of the i-th node's pods. */
export const podCidr = (index: number) => `10.244.${index}.0/24`;
/** All node numbers that may exist. */
export const NODE_INDEXES: readonly number[] = Array.from({ length: MAX_NODES }, (_, index) => index + 1);
