import { randomBytes } from "node:crypto";
import { run } from "#test/cluster/shell.ts";

/** A network namespace with a cable to this machine, as a pod has one: what runs in it sees its callers come from elsewhere. */
export interface PodNetwork extends AsyncDisposable {
  /** Of the namespace, for who starts something in it. */
  readonly path: string;
  /** Where it is reached from here. */
  readonly address: string;
}

/** Makes one. Needs root. */
export async function makePodNetwork(): Promise<PodNetwork> {
  const id = randomBytes(4);
  const name = `hatchery-${id.toString("hex")}`;
  // An interface's name is short, and its addresses are a block of four in a range that hardly anybody uses.
  const cable = `ht${id.toString("hex")}`;
  const block = `10.213.${id[0] ?? 0}`;
  const first = (id[1] ?? 0) & 0xfc;
  const [here, there] = [`${block}.${first + 1}`, `${block}.${first + 2}`];
  const inside = (...command: string[]) => run(["ip", "-netns", name, ...command]);
  await run(["ip", "netns", "add", name]);
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => {
    // The cable goes with its end.
    await run(["ip", "netns", "delete", name]);
  });
  await run(["ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name]);
  await run(["ip", "address", "add", `${here}/30`, "dev", cable]);
  await run(["ip", "link", "set", cable, "up"]);
  await inside("address", "add", `${there}/30`, "dev", "eth0");
  await inside("link", "set", "eth0", "up");
  await inside("link", "set", "lo", "up");
  const made = undo.move();
  return { path: `/run/netns/${name}`, address: there, [Symbol.asyncDispose]: () => made.disposeAsync() };
}
