import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join, relative } from "node:path";
import { timestamp } from "#lib/clock.ts";
import { ensureKubeBinaries } from "#test/cluster/binaries.ts";
import { step } from "#test/cluster/progress.ts";
import { ROOT } from "#test/images/paths.ts";
import { type CpuProfile, type SelfTime, summariseProfile } from "../kit/cpu-profile.ts";
import { enterOwnNetwork } from "../kit/own-network.ts";
import { figure, renderTable } from "../kit/table.ts";
import { type Contender, loadContender } from "./contender.ts";
import { createAll, objectName } from "./create.ts";
import { cycle } from "./cycles.ts";
import { hatchery } from "./hatchery.ts";
import type { Measurements } from "./measurements.ts";
import { type BenchOptions, parseOptions, USAGE } from "./options.ts";
import { measureReactions } from "./reactions.ts";
import { renderReport } from "./report.ts";
import { driftChildren, idle, pokeChildren, restart } from "./rest.ts";
import { type Rig, startRig } from "./rig.ts";
import { startOperator } from "./running-operator.ts";

/** Functions of a profile that are shown. */
const PROFILE_TOP = 15;

async function measure(contender: Contender, instances: number, o: BenchOptions, out: string): Promise<Measurements> {
  const title = `${contender.name}, ${instances}`;
  const rig = await step(`${title}: start an apiserver`, () => startRig(contender, o.podDelayMs));
  try {
    return await measureOn(rig, instances, o, out);
  } catch (error) {
    console.error(
      await readFile(join(rig.dir, "operator.log"), "utf8").then(
        (text) => text.slice(-4000),
        () => "",
      ),
    );
    throw error;
  } finally {
    await rig.stop();
  }
}

async function measureOn(rig: Rig, instances: number, o: BenchOptions, out: string): Promise<Measurements> {
  const title = `${rig.contender.name}, ${instances}`;
  const part = <T>(what: string, work: () => Promise<T>) => step(`${title}: ${what}`, work);
  const profileDir = o.profile ? await mkdtemp(join(out, "profile-")) : undefined;
  const first = await startOperator(rig, profileDir);
  await first.ready();
  await first.quiet();
  // The apiserver's first apply of each kind takes a second; that is no operator's fault.
  await part("warm up", () => cycle(rig, first, 1));
  const emptyRssBytes = (await first.usage()).rssBytes;
  const creation = await part("create all", () => createAll(rig, first, instances));
  const stillness = await part("do nothing", () => idle(rig, first, o.idleSeconds));
  const pokes = await part("poke children", () => pokeChildren(rig, objectName(0)));
  const drifts = await part("change children", () => driftChildren(rig, objectName(1)));
  const restarted = await part("restart", () => restart(rig, first));
  const { operator } = restarted;
  const profile = profileDir ? await summarise(profileDir) : undefined;
  const perMishap = Math.min(o.reactions, Math.floor((instances - 2) / 4));
  const reactions = await part("end pods", () => measureReactions(rig, perMishap));
  const cycles = o.cycles > 0 ? await part("create and delete", () => cycle(rig, operator, o.cycles)) : undefined;
  await operator.stop();
  return {
    contender: rig.contender.name,
    instances,
    emptyRssBytes,
    creation,
    idle: stillness,
    pokes,
    drifts,
    reactions,
    restart: restarted.restart,
    ...(cycles ? { cycles } : {}),
    ...(profile ? { profile } : {}),
  };
}

async function summarise(dir: string): Promise<SelfTime[]> {
  const [file] = (await readdir(dir)).filter((name) => name.endsWith(".cpuprofile"));
  if (file === undefined) return [];
  return summariseProfile(JSON.parse(await readFile(join(dir, file), "utf8")) as CpuProfile, PROFILE_TOP);
}

function renderProfile({ contender, instances, profile = [] }: Measurements): string {
  const rows = profile.map(
    ({ what, seconds, share }) => [what, figure(seconds, "s"), `${figure(share * 100)} %`] as const,
  );
  return `\n${renderTable([`${contender} ${instances}: time spent in`, "itself", "share"], rows)}`;
}

async function main(o: BenchOptions): Promise<void> {
  const contenders = [hatchery as unknown as Contender, ...(await Promise.all(o.contenders.map(loadContender)))];
  const out = join(ROOT, "dist", "bench", `operator-${timestamp(Date.now()).replaceAll(":", "")}`);
  await mkdir(out, { recursive: true });
  const all: Measurements[] = [];
  for (const instances of o.instances) {
    for (const contender of contenders) {
      all.push(await measure(contender, instances, o, out));
      const machine = { cpus: cpus().length, model: cpus()[0]?.model, memoryBytes: totalmem(), node: process.version };
      await writeFile(join(out, "results.json"), JSON.stringify({ machine, options: o, all }, null, 1));
    }
  }
  const report = [renderReport(all), ...all.filter(({ profile }) => profile).map(renderProfile)].join("\n");
  await writeFile(join(out, "table.md"), `${report}\n`);
  console.log(report);
  console.log(`\nraw data: ${relative(ROOT, out)}`);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") console.log(USAGE);
  else {
    // What is not built yet needs the network.
    await ensureKubeBinaries();
    await enterOwnNetwork();
    await main(options);
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
