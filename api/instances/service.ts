import { GROUP, INSTANCES, type OpenClawInstance, PHASE, type Tenant, tenantKey, VERSION } from "#crds/index.ts";
import { API_FIELD_MANAGER } from "#crds/names.ts";
import type { Clock } from "#lib/clock.ts";
import { timestamp } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { isAlreadyExists } from "#lib/kube/errors.ts";
import type { Informer } from "#lib/kube/informer.ts";
import { ApiError } from "../errors.ts";
import type { InstanceDirectory } from "./directory.ts";
import type { Freshness } from "./freshness.ts";
import { instanceName } from "./name.ts";
import { phaseOf } from "./phase.ts";

/** Whole time limit of one write, repeats included. */
const WRITE_TIMEOUT_MS = 10_000;
/** Whole time limit of one read. */
const READ_TIMEOUT_MS = 5_000;

/** What the API does with instances. Each method's `signal` gives up waiting, it undoes nothing. */
export interface InstanceService {
  /** The tenant's instance, undefined = there is none for sure. @throws ApiError 503 when the cluster can't be asked. */
  get(tenant: Tenant): Promise<OpenClawInstance | undefined>;
  /** Everybody's instances, as {@link InstanceDirectory.list} has them. @throws ApiError 503 when the cluster can't be asked. */
  list(o: Parameters<InstanceDirectory["list"]>[0]): Promise<OpenClawInstance[]>;
  /** Makes the tenant's instance, or wakes the one there is: a stopped one runs again, a failed one gets another try. */
  ensure(tenant: Tenant, signal: AbortSignal): Promise<OpenClawInstance>;
  /**
   * Stops the tenant's instance for as long as nobody starts it; its volume stays.
   * @throws ApiError 404 without one, 409 while it is being deleted; so do `start` and `restart`.
   */
  stop(tenant: Tenant, signal: AbortSignal): Promise<OpenClawInstance>;
  /** Wakes the tenant's instance like `ensure`, but makes none. */
  start(tenant: Tenant, signal: AbortSignal): Promise<OpenClawInstance>;
  /** Asks for a new pod. @throws ApiError 409 for a stopped one, besides. */
  restart(tenant: Tenant, signal: AbortSignal): Promise<OpenClawInstance>;
  /** Asks for deletion; false = there was none. */
  delete(tenant: Tenant, signal: AbortSignal): Promise<boolean>;
}

/** The service over one namespace. Writes' answers go into the cache at once, so that a caller reads its own writes. */
export function createInstanceService(o: {
  client: KubeClient;
  informer: Informer<OpenClawInstance>;
  directory: InstanceDirectory;
  freshness: Freshness;
  namespace: string;
  clock: Clock;
}): InstanceService {
  const { client, informer, directory, freshness, namespace, clock } = o;

  async function get(tenant: Tenant): Promise<OpenClawInstance | undefined> {
    await freshness.confirm();
    const found = directory.find(tenant);
    if (found || freshness.isYoung()) return found;
    // Our watch may be the last to hear of an instance that another replica made.
    const live = await read(tenant);
    if (live) informer.assume(live);
    return live;
  }

  /** The instance made through the API, as the apiserver has it; undefined when there is none or it is not the tenant's. */
  async function read(tenant: Tenant, signal?: AbortSignal): Promise<OpenClawInstance | undefined> {
    const ref = { namespace, name: instanceName(tenantKey(tenant)) };
    const live = await client.get(INSTANCES, ref, { timeoutMs: READ_TIMEOUT_MS, signal });
    return live && tenantKey(live.spec.owner) === tenantKey(tenant) ? live : undefined;
  }

  async function create(tenant: Tenant, signal: AbortSignal): Promise<OpenClawInstance> {
    const instance = newInstance(tenant, namespace);
    try {
      return await client.create(INSTANCES, instance, {
        fieldManager: API_FIELD_MANAGER,
        retryUnanswered: true,
        timeoutMs: WRITE_TIMEOUT_MS,
        signal,
      });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return existing(tenant, signal, error);
    }
  }

  /** Another replica was faster, or our cache is a moment behind. */
  async function existing(tenant: Tenant, signal: AbortSignal, cause: unknown): Promise<OpenClawInstance> {
    const name = instanceName(tenantKey(tenant));
    const found = await client.get(INSTANCES, { namespace, name }, { timeoutMs: WRITE_TIMEOUT_MS, signal });
    if (!found) throw deleting(cause);
    if (tenantKey(found.spec.owner) !== tenantKey(tenant)) {
      throw new ApiError("name_taken", `the name ${name} is taken by an instance of another owner`, {
        step: "provision_instance",
        cause,
      });
    }
    return found;
  }

  function patchSpec(instance: OpenClawInstance, spec: object, signal: AbortSignal): Promise<OpenClawInstance> {
    const ref = { namespace, name: instance.metadata.name };
    const options = { fieldManager: API_FIELD_MANAGER, timeoutMs: WRITE_TIMEOUT_MS, signal };
    return client.mergePatch(INSTANCES, ref, { spec }, options);
  }

  async function wake(instance: OpenClawInstance, signal: AbortSignal): Promise<OpenClawInstance> {
    if (instance.spec.runPolicy === "Stopped") return patchSpec(instance, { runPolicy: "OnDemand" }, signal);
    if (phaseOf(instance) !== PHASE.Failed) return instance;
    return renew(instance, signal);
  }

  function renew(instance: OpenClawInstance, signal: AbortSignal): Promise<OpenClawInstance> {
    return patchSpec(instance, { restartedAt: timestamp(clock.now()) }, signal);
  }

  /** Changes the instance there is. */
  async function change(
    tenant: Tenant,
    signal: AbortSignal,
    make: (instance: OpenClawInstance) => Promise<OpenClawInstance>,
  ): Promise<OpenClawInstance> {
    const found = (await get(tenant)) ?? (await read(tenant, signal));
    if (!found) throw new ApiError("instance_not_found", "instance not found", { step: "get_instance" });
    if (found.metadata.deletionTimestamp) throw deleting();
    const instance = await make(found);
    informer.assume(instance);
    return instance;
  }

  return {
    get,
    async list(o) {
      await freshness.confirm();
      return directory.list(o);
    },
    async ensure(tenant, signal) {
      const found = (await get(tenant)) ?? (await create(tenant, signal));
      if (found.metadata.deletionTimestamp) throw deleting();
      const instance = await wake(found, signal);
      informer.assume(instance);
      return instance;
    },
    stop: (tenant, signal) =>
      change(tenant, signal, async (instance) =>
        instance.spec.runPolicy === "Stopped" ? instance : patchSpec(instance, { runPolicy: "Stopped" }, signal),
      ),
    start: (tenant, signal) => change(tenant, signal, (instance) => wake(instance, signal)),
    restart: (tenant, signal) =>
      change(tenant, signal, async (instance) => {
        if (instance.spec.runPolicy === "Stopped") throw suspended();
        return renew(instance, signal);
      }),
    async delete(tenant, signal) {
      const found = (await get(tenant)) ?? (await read(tenant, signal));
      if (!found) return false;
      const { name, uid } = found.metadata;
      const options = { uid, propagationPolicy: "Background", timeoutMs: WRITE_TIMEOUT_MS, signal } as const;
      return client.delete(INSTANCES, { namespace, name }, options);
    },
  };
}

/** The instance that the API makes for a tenant. */
export function newInstance({ subject, kind }: Tenant, namespace: string): OpenClawInstance {
  const instance = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: "OpenClawInstance",
    metadata: { name: instanceName(tenantKey({ subject, kind })), namespace },
    // Everything else is the class's to say; the apiserver fills in defaults.
    spec: { owner: { subject, kind } },
  };
  return instance as OpenClawInstance;
}

function suspended(): ApiError {
  const message = "suspended: POST /api/openclaw/runtime/start starts it";
  return new ApiError("instance_suspended", message, { step: "provision_instance" });
}

function deleting(cause?: unknown): ApiError {
  return new ApiError("instance_deleting", "deleting: the instance is being deleted, try again when it is gone", {
    step: "provision_instance",
    retryAfterSeconds: 2,
    cause,
  });
}
