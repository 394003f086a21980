import { inject } from "vitest";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createLogger } from "#lib/log.ts";
import { adminClient, OPERATOR_AGENT } from "#operator/operator.fixture.ts";

/** The connections of a test file. */
export interface Clients {
  /** People, with all rights. */
  readonly admin: KubeClient;
  /** Shared by all operators that nothing disturbs: most of a short run would be spent on new connections. */
  readonly operator: KubeClient;
  close(): Promise<void>;
}

/** Connects to the apiserver of the fault tests. */
export function connectClients(): Clients {
  const admin = adminClient(inject("kubeconfig"));
  const config = loadKubeAccess(inject("kubeconfig"));
  const operator = createKubeClient({ config, userAgent: OPERATOR_AGENT, log: createLogger("test", "silent") });
  return {
    admin,
    operator,
    async close() {
      await Promise.all([admin.close(), operator.close()]);
    },
  };
}
