import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { type FaultProxy, startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { createKubeClient, type KubeClient } from "./client.ts";
import { isExpired } from "./errors.ts";
import { createInformer } from "./informer.ts";
import { CONFIG_MAPS, type ConfigMap } from "./resource.ts";

const log = pino({ level: "silent" });

/** Without its cache the apiserver answers from etcd, whose history it compacts all the time here. */
const FORGETFUL = ["--watch-cache=false", "--etcd-compaction-interval=1s"];

describe("an apiserver that forgets its history", () => {
  let plane: ControlPlane;
  let proxy: FaultProxy;
  let client: KubeClient;

  beforeAll(async () => {
    plane = await startControlPlane({ apiserverFlags: FORGETFUL });
    proxy = await startFaultProxy(plane.kubeconfig);
    client = createKubeClient({ config: proxy.access, userAgent: "hatchery-test", log });
  });
  afterAll(async () => {
    await client?.close();
    await proxy?.close();
    await plane?.stop();
  });

  const configMap = (name: string): ConfigMap => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "default" },
  });

  /** Resolves once the server has really forgotten a revision. */
  async function forgotten(resourceVersion: string): Promise<void> {
    for (;;) {
      const stop = new AbortController();
      try {
        for await (const _event of client.watch(CONFIG_MAPS, {
          resourceVersion,
          timeoutSeconds: 1,
          signal: stop.signal,
        }));
      } catch (error) {
        if (isExpired(error)) return;
        throw error;
      }
    }
  }

  it("is listed anew, and what happened meanwhile is told", async () => {
    const registry = new Registry();
    const informer = createInformer({ client, type: CONFIG_MAPS, namespace: "default", log, registry });
    const stop = new AbortController();
    for (const name of ["stays", "goes"]) await client.create(CONFIG_MAPS, configMap(name));
    const running = informer.run(stop.signal);
    await informer.synced();
    const before = informer.get("default/stays")?.metadata.resourceVersion ?? "";

    const changes: string[] = [];
    const told = new Promise<void>((resolve) => {
      informer.onChange(({ type, key }) => {
        changes.push(`${type} ${key}`);
        if (key === "default/comes") resolve();
      });
    });
    // Both forgets are of the same answer: no watch of the informer gets through before the history is gone.
    const cut = proxy.inject(
      { kind: "reset" },
      { match: (seen) => seen.isWatch && seen.path.includes("/namespaces/") },
    );
    proxy.resetConnections();
    await cut.hit();
    await client.delete(CONFIG_MAPS, { name: "goes", namespace: "default" });
    await client.create(CONFIG_MAPS, configMap("comes"));
    await forgotten(before);
    cut.remove();
    await told;

    expect(changes).toEqual(["deleted default/goes", "added default/comes"]);
    expect(await registry.metrics()).toMatch(/relists_total\{resource="configmaps",reason="(expired|failures)"\} 1/);
    stop.abort();
    await running;
  });

  it("forgets the rest of a list too", async () => {
    const page = await client.list(CONFIG_MAPS, { limit: 1 });
    const rest = () => client.list(CONFIG_MAPS, { limit: 1, continue: page.continue });
    for (;;) {
      const error = await rest().then(
        () => undefined,
        (caught: unknown) => caught,
      );
      if (error === undefined) continue;
      expect(isExpired(error)).toBe(true);
      return;
    }
  });
});
