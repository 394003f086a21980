import { randomBytes } from "node:crypto";
import { systemClock } from "#lib/clock.ts";
import { keysReady, newSlot } from "#lib/keys.ts";
import { createKubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { watchLeaseHealth } from "#lib/kube/lease-health.ts";
import { runManager } from "#lib/kube/manager.ts";
import { createLogger } from "#lib/log.ts";
import { createRegistry } from "#lib/metrics.ts";
import { createOpsServer } from "#lib/ops-server.ts";
import { type ProcessContext, runProcess } from "#lib/process.ts";
import { VERSION } from "#lib/version.ts";
import { readOperatorConfig } from "./config.ts";
import { freshnessChecks } from "./freshness.ts";
import { createOperator } from "./operator.ts";
import { createGatewayCall } from "./probe/call-gateway.ts";
import { createGatewaySuspension } from "./probe/suspend-gateway.ts";

async function main({ signal, env }: ProcessContext): Promise<void> {
  await keysReady();
  const config = readOperatorConfig(env);
  const log = createLogger("operator", config.logLevel);
  const registry = createRegistry("operator", VERSION);
  const clock = systemClock;
  const access = loadKubeAccess(config.kubeconfig);
  const newClient = () =>
    createKubeClient({ config: access, userAgent: `hatchery-operator/${VERSION}`, registry, log, clock });
  const client = newClient();
  // Renewals wait in no queue behind the work: its connections are few, and may all hang.
  const leaseClient = newClient();
  const gateways = createGatewayCall();
  const suspension = createGatewaySuspension();
  const operator = createOperator({
    client,
    settings: { ...config, operatorVersion: VERSION },
    callGateway: gateways.call,
    suspension,
    namespaces: config.watchNamespaces,
    workers: config.workers,
    gatewayRecheckMs: config.gatewayRecheckMs,
    identity: config.podName,
    clock,
    log,
    registry,
    newSlot,
  });
  const leaseHealth = watchLeaseHealth({ clock });
  const checks = { ...freshnessChecks(operator.informers), lease: leaseHealth.check };
  try {
    await runManager({
      informers: operator.informers,
      controllers: [...operator.controllers, operator.sweep],
      lease: {
        client: leaseClient,
        namespace: config.namespace,
        name: config.leaseName,
        // A pod that restarts in place is another candidate than before.
        health: leaseHealth,
        identity: `${config.podName}_${randomBytes(4).toString("hex")}`,
        clock,
        log,
        registry,
      },
      opsServer: createOpsServer({ port: config.opsPort, registry, checks, log }),
      events: operator.events,
      client,
      log,
      clock,
      signal,
    });
  } finally {
    await Promise.all([leaseClient.close(), gateways.close(), suspension.close()]);
  }
}

await runProcess({ name: "operator", main });
