import { SERVICE_CIDR } from "./components.ts";
import type { Layout } from "./layout.ts";
import { findInits, insideNetwork } from "./namespaces.ts";
import { NODE_INDEXES, nodeIp } from "./network.ts";
import { run } from "./shell.ts";

/**
 * Sends what the control plane's network has for ClusterIPs through the first node that exists: only nodes know which
 * pods stand behind them. To be called again when nodes come or go.
 */
export async function routeServices(layout: Layout, init: number): Promise<void> {
  const inits = await findInits();
  const index = NODE_INDEXES.find((candidate) => inits.has(layout.nodeId(candidate)));
  if (index === undefined) return;
  await run(insideNetwork(init, ["ip", "route", "replace", SERVICE_CIDR, "via", nodeIp(index)]));
}
