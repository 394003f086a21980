import { beforeAll, describe, expect, it } from "vitest";
import type { InstanceStatus, OpenClawInstance } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { planInstance } from "./plan.ts";
import { isStillThere } from "./still-there.ts";
import { anInstance, aView, NOW, SLOT, settings } from "./view.fixture.ts";

beforeAll(keysReady);

const { signal } = new AbortController();
const MADE: InstanceStatus = { runtime: { name: "openclaw-alice", slot: SLOT, keyId: "00000000" } };

/** Asks about the writes that make all children, on an apiserver that has this instance; with the number of requests. */
async function ask(status: InstanceStatus | undefined, live: OpenClawInstance | undefined) {
  let requests = 0;
  const get = () => {
    requests += 1;
    return Promise.resolve(live);
  };
  const view = aView({ instance: anInstance({}, status) });
  const { writes } = planInstance(view, settings(), NOW, SLOT);
  const there = await isStillThere({ get } as unknown as KubeClient, view.instance, writes, signal);
  return { there, requests };
}

function also(metadata: object): OpenClawInstance {
  const instance = anInstance();
  return { ...instance, metadata: { ...instance.metadata, ...metadata } };
}

describe("an instance whose children are to be made", () => {
  it("is not asked for while it has none", async () => {
    expect(await ask(undefined, undefined)).toEqual({ there: true, requests: 0 });
  });

  it("is asked for when it had them, and may be gone, going, or another", async () => {
    expect(await ask(MADE, anInstance())).toEqual({ there: true, requests: 1 });
    expect(await ask(MADE, undefined)).toEqual({ there: false, requests: 1 });
    expect(await ask(MADE, also({ deletionTimestamp: "2026-11-23T10:00:00Z" }))).toMatchObject({ there: false });
    expect(await ask(MADE, also({ uid: "later" }))).toMatchObject({ there: false });
  });
});
