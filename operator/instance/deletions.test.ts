import { expect, it } from "vitest";
import type { Informer } from "#lib/kube/informer.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { Deletions } from "./deletions.ts";

const pod: Pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "n", uid: "u" } };

/** A cache of one pod, and what tells of its end. */
function setUp() {
  let tell: (change: { type: "deleted"; key: string; object: Pod }) => void = () => undefined;
  let held: Pod | undefined = pod;
  const pods = { get: () => held, onChange: (listener: typeof tell) => (tell = listener) };
  const deletions = new Deletions(pods as unknown as Informer<Pod>);
  const end = async () => {
    held = undefined;
    tell({ type: "deleted", key: "n/p", object: pod });
  };
  return { deletions, end };
}

it("a pod is ending from when its deletion is asked for until the watch tells of its end", async () => {
  const { deletions, end } = setUp();
  await deletions.track(pod, async () => expect(deletions.has("u")).toBe(true));
  expect(deletions.has("u")).toBe(true);
  await end();
  expect(deletions.has("u")).toBe(false);
});

it("what the watch told of before the answer, or before it was asked for, is not kept", async () => {
  const { deletions, end } = setUp();
  await deletions.track(pod, end);
  expect(deletions.has("u")).toBe(false);
  await deletions.track(pod, async () => false);
  expect(deletions.has("u")).toBe(false);
});

it("what is not deleted is not ending", async () => {
  const { deletions } = setUp();
  const refused = new Error("refused");
  await expect(deletions.track(pod, () => Promise.reject(refused))).rejects.toBe(refused);
  expect(deletions.has("u")).toBe(false);
});
