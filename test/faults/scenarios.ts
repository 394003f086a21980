import { type ClassSpecInput, INSTANCES, type OpenClawInstance } from "#crds/index.ts";
import { CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES } from "#lib/kube/resource.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { GROWING, PATIENCE, type Site } from "./site.ts";

/** Something an operator has to bring about, in which it can be disturbed. */
export interface Scenario {
  readonly name: string;
  readonly classSpec?: Partial<ClassSpecInput>;
  /** Makes, in peace, what was there before; answers the instance, if there is one. */
  prepare(site: Site): Promise<OpenClawInstance | undefined>;
  /** What the operator is to react to. */
  act(site: Site): Promise<unknown>;
  /** Resolves once all has come about; `before` is what `prepare` answered. */
  done(site: Site, before: OpenClawInstance | undefined): Promise<unknown>;
}

const IMAGE = "registry.test/openclaw:2026.10.0-0123456789ab";
const RESTARTED_AT = "2026-11-23T10:00:00Z";
const GROWN = "2Gi";

async function createReady(site: Site): Promise<OpenClawInstance> {
  await site.create();
  return site.ready();
}

/** All children that are deleted with their instance. */
async function collected(site: Site): Promise<void> {
  const types = [PODS, SECRETS, CONFIG_MAPS, SERVICES];
  await waitFor(
    "the children to be collected",
    async () => {
      const left = await Promise.all(types.map((type) => site.client.get(type, site.child)));
      return left.every((child) => child === undefined);
    },
    PATIENCE,
  );
}

/** A change of a running instance whose pod is to be another in the end. */
function replacement(
  name: string,
  act: Scenario["act"],
  wanted: (status: NonNullable<OpenClawInstance["status"]>) => boolean = () => true,
): Scenario {
  return {
    name,
    prepare: createReady,
    act,
    done: (site, before) =>
      site.ready(({ status }) => status?.runtime?.podUID !== before?.status?.runtime?.podUID && wanted(status ?? {})),
  };
}

/** Everything that makes an operator write. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "a create",
    prepare: () => Promise.resolve(undefined),
    act: (site) => site.create({ network: { egress: [{ cidr: "203.0.113.0/24", ports: [22] }] } }),
    done: (site) => site.ready(),
  },
  replacement(
    "another image and configuration",
    (site) => site.change({ image: IMAGE, gateway: { toolsDeny: ["nodes"] } }),
    ({ runtime }) => runtime?.image === IMAGE,
  ),
  replacement(
    "another image of the class",
    (site) => site.changeClass({ image: IMAGE }),
    ({ runtime }) => runtime?.image === IMAGE,
  ),
  replacement(
    "a restart",
    (site) => site.change({ restartedAt: RESTARTED_AT }),
    ({ observedRestart }) => observedRestart === RESTARTED_AT,
  ),
  replacement("a failed pod", (site) =>
    site.client.mergePatch(
      PODS,
      site.child,
      { status: { phase: "Failed", reason: "Evicted" } },
      { subresource: "status" },
    ),
  ),
  {
    name: "a larger volume",
    classSpec: { storage: { size: "1Gi", storageClassName: GROWING } },
    prepare: createReady,
    act: (site) => site.change({ storage: { size: GROWN } }),
    async done(site) {
      await waitFor(
        "the claim to ask for more",
        async () => {
          const claim = await site.client.get(PERSISTENT_VOLUME_CLAIMS, site.child);
          return claim?.spec?.resources?.requests?.storage === GROWN;
        },
        PATIENCE,
      );
      await site.ready();
    },
  },
  {
    name: "a stop",
    prepare: createReady,
    act: (site) => site.change({ runPolicy: "Stopped" }),
    async done(site) {
      await site.until(({ status }) => status?.phase === "Stopped");
    },
  },
  {
    name: "a delete that keeps the volume",
    prepare: createReady,
    act: (site) => site.remove(),
    done: collected,
  },
  {
    name: "a delete that waits for the children",
    prepare: createReady,
    act: (site) => site.remove({ propagationPolicy: "Foreground" }),
    async done(site) {
      await waitFor("no instance", async () => !(await site.client.get(INSTANCES, site.instance)), PATIENCE);
    },
  },
  {
    name: "a delete with the volume",
    classSpec: { deletionPolicy: "Delete" },
    prepare: createReady,
    act: (site) => site.remove(),
    async done(site) {
      await collected(site);
      await waitFor("no volume", async () => !(await site.client.get(PERSISTENT_VOLUME_CLAIMS, site.child)), PATIENCE);
    },
  },
  {
    name: "a create that adopts a volume",
    async prepare(site) {
      await createReady(site);
      await site.remove();
      await collected(site);
      return undefined;
    },
    act: (site) => site.create(),
    done: (site) => site.ready(),
  },
];
