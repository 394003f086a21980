import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { CLASSES, GROUP, INSTANCES, type OpenClawClass, type OpenClawInstance, PHASE, VERSION } from "#crds/index.ts";
import { waitFor } from "#test/cluster/wait.ts";
import type { System } from "./system.ts";

/** A namespace of a test's own for light pods that get into trouble, with classes of their own. */
export interface Sandbox extends AsyncDisposable {
  readonly namespace: string;
  /** kubectl in the namespace. */
  kubectl(...args: string[]): Promise<string>;
  /** A class of light pods but for these fields; answers its name. */
  createClass(purpose: string, spec?: object): Promise<string>;
  /** An instance of the class; by default of the class of light pods. */
  create(name: string, className?: string): Promise<void>;
  until(name: string, wanted: (instance: OpenClawInstance) => boolean): Promise<OpenClawInstance>;
  ready(name: string): Promise<OpenClawInstance>;
  /** The instance once it fails for this reason, which then `kubectl describe` tells of, as a condition and as an Event, in these words. */
  failed(name: string, reason: string, words: RegExp): Promise<OpenClawInstance>;
  /** Makes trouble in the instance's pod, see the light gateway. */
  trouble(name: string, ...args: string[]): Promise<void>;
}

/** Makes a sandbox; what is in it goes with it. */
export async function createSandbox(system: System): Promise<Sandbox> {
  const suffix = randomUUID().slice(0, 8);
  const namespace = `trouble-${suffix}`;
  const classes: string[] = [];
  const { client } = system;
  await system.machine.kubectl("create", "namespace", namespace);
  const kubectl: Sandbox["kubectl"] = (...args) => system.machine.kubectl("--namespace", namespace, ...args);

  async function createClass(purpose: string, spec: object = {}): Promise<string> {
    const name = `${purpose}-${suffix}`;
    const light = {
      image: system.lightImage,
      resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { cpu: "100m", memory: "64Mi" } },
      storage: { size: "300Mi" },
      models: [{ name: "default", provider: "default", providerModel: "simulated-1" }],
      drainSeconds: 0,
      deletionPolicy: "Delete",
    };
    const body = {
      apiVersion: `${GROUP}/${VERSION}`,
      kind: CLASSES.kind,
      metadata: { name },
      spec: { ...light, ...spec },
    } as unknown;
    classes.push(name);
    await client.create(CLASSES, body as OpenClawClass);
    return name;
  }

  const plain = await createClass("plain");

  const until: Sandbox["until"] = async (name, wanted) => {
    const found = await system.until(INSTANCES, { name, namespace }, (i) => i !== undefined && wanted(i));
    if (!found) throw new Error(`${name} is gone`);
    return found;
  };

  return {
    namespace,
    kubectl,
    createClass,
    async create(name, className = plain) {
      const body = {
        apiVersion: `${GROUP}/${VERSION}`,
        kind: INSTANCES.kind,
        metadata: { name, namespace },
        spec: { owner: { subject: name }, className },
      } as unknown;
      await client.create(INSTANCES, body as OpenClawInstance);
    },
    until,
    ready: (name) => until(name, ({ status }) => status?.phase === PHASE.Ready),
    async failed(name, reason, words) {
      const failed = await until(name, ({ status }) => status?.failure?.reason === reason);
      await expectTold(system, { namespace, name }, reason, words);
      return failed;
    },
    async trouble(name, ...args) {
      try {
        await kubectl("exec", `openclaw-${name}`, "--", "/light-gateway", ...args);
      } catch (error) {
        // What ends the container may be killed with it before it has said that all went well.
        if (args[0] !== "fail" || !String(error).includes("exit code 137")) throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await kubectl("delete", "claws", "--all", "--timeout=120s");
      await kubectl("delete", "persistentvolumeclaims", "--all", "--timeout=120s");
      await system.machine.kubectl("delete", "namespace", namespace, "--timeout=120s");
      for (const name of classes) await client.delete(CLASSES, { name });
    },
  };
}

/** `kubectl describe` tells of a failure in these words, and that it began, by an Event; the operator's metrics count it. */
export async function expectTold(
  system: System,
  { namespace, name }: { namespace: string; name: string },
  reason: string,
  words: RegExp,
): Promise<void> {
  const describe = () => system.machine.kubectl("--namespace", namespace, "describe", "claw", name);
  const event = new RegExp(`Events:[^]*Warning +${reason} `);
  const text = await waitFor(`an Event ${reason}`, async () => {
    const told = await describe();
    return event.test(told) && told;
  });
  expect(text).toMatch(words);
  // A counter starts anew with its operator, and a gauge tells of now.
  const counted = new RegExp(
    `hatchery_instance(_failures_total|s_failing)\\{step="\\w+",reason="${reason}"[^}]*\\} [1-9]`,
  );
  expect(await operatorMetrics(system)).toMatch(counted);
}

/** The leader's: the standby tells of no instance. Asked for inside its pod, as nobody else may reach it. */
async function operatorMetrics({ machine, namespace }: System): Promise<string> {
  const kubectl = (...args: string[]) => machine.kubectl("--namespace", namespace, ...args);
  const holder = await kubectl("get", "lease", "hatchery-operator", "--output", "jsonpath={.spec.holderIdentity}");
  const [leader = ""] = holder.split("_");
  const ask = "fetch('http://127.0.0.1:9090/metrics').then((response) => response.text()).then(console.log)";
  return kubectl("exec", leader, "--", "node", "-e", ask);
}
