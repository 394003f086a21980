import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { join, relative } from "node:path";
import { timestamp } from "#lib/clock.ts";
import { ensureKubeBinaries } from "#test/cluster/binaries.ts";
import { ensurePackages } from "#test/cluster/packages.ts";
import { step } from "#test/cluster/progress.ts";
import { ROOT } from "#test/images/paths.ts";
import { type CpuProfile, summariseProfile } from "../kit/cpu-profile.ts";
import { enterOwnNetwork } from "../kit/own-network.ts";
import { figure, renderTable } from "../kit/table.ts";
import { createArchive } from "./archive.ts";
import { configurableHttpProxy, ensureConfigurableHttpProxy } from "./configurable-http-proxy.ts";
import type { Contender, RunningContender } from "./contender.ts";
import { leaveProxyCore } from "./cores.ts";
import { direct } from "./direct.ts";
import { hatchery } from "./hatchery.ts";
import { measureLatency, measureQuiet, measureStreams, measureThroughput, type Site, warmUp } from "./measure.ts";
import type { Measurements } from "./measurements.ts";
import { nginx } from "./nginx.ts";
import { type BenchOptions, type Part, parseOptions, USAGE } from "./options.ts";
import { renderBars, renderReport } from "./report.ts";
import { startRig } from "./rig.ts";

/** Functions of a profile that are shown. */
const PROFILE_TOP = 25;

type Pair = readonly [proxy: RunningContender, into: Measurements];

/** What is done with one proxy in one round of each part. */
const ROUND: Readonly<
  Record<Part, (site: Site, proxy: RunningContender, into: Measurements, round: number) => Promise<void>>
> = {
  async latency(site, proxy, into, round) {
    for (const connections of site.options.connections) {
      into.latency.push(await measureLatency(site, proxy, connections, round));
    }
  },
  async throughput(site, proxy, into) {
    into.throughput.push(await measureThroughput(site, proxy));
  },
  async streams(site, proxy, into, round) {
    into.streams.push(await measureStreams(site, proxy, round));
  },
  async quiet(site, proxy, into) {
    const quiet = await measureQuiet(site, proxy);
    if (quiet) into.quiet = quiet;
  },
};

async function measure(part: Part, site: Site, all: ReadonlyMap<Contender, Measurements>): Promise<void> {
  const { rig, options, archive } = site;
  const profileDir = options.profile ? await mkdtemp(join(archive.dir, `profile-${part}-`)) : undefined;
  const { upstream, users, dir } = rig;
  const pairs: Pair[] = [];
  try {
    for (const [contender, into] of all) {
      const proxy = await contender.start({ upstream, users, dir, profileDir });
      pairs.push([proxy, into]);
      // A process that has worked has memory to spare: streams would seem to take none.
      if (part !== "quiet") await warmUp(site, proxy);
    }
    for (let round = 0; round < (part === "quiet" ? 1 : options.rounds); round += 1) {
      for (const [proxy, into] of pairs) await ROUND[part](site, proxy, into, round);
    }
  } finally {
    for (const [proxy] of pairs) await proxy.stop();
  }
  if (profileDir) console.log(await renderProfile(part, profileDir));
}

async function renderProfile(part: Part, dir: string): Promise<string> {
  const [file] = (await readdir(dir)).filter((name) => name.endsWith(".cpuprofile"));
  if (file === undefined) return "";
  const top = summariseProfile(JSON.parse(await readFile(join(dir, file), "utf8")) as CpuProfile, PROFILE_TOP);
  const rows = top.map(({ what, seconds, share }) => [what, figure(seconds, "s"), `${figure(share * 100)} %`] as const);
  return `\n${renderTable([`${part}: time spent in`, "itself", "share"], rows)}`;
}

async function main(options: BenchOptions): Promise<void> {
  const begun = timestamp(Date.now());
  const archive = createArchive(join(ROOT, "dist", "bench", `api-${begun.replaceAll(":", "")}`));
  await mkdir(archive.dir, { recursive: true });
  const load = loadavg();
  const rig = await startRig(options.users);
  try {
    const peers = { nginx, "configurable-http-proxy": configurableHttpProxy };
    const contenders = [direct, hatchery(rig), ...options.peers.map((name) => peers[name])];
    const all = new Map(
      contenders.map((contender) => [
        contender,
        { contender: contender.name, latency: [], throughput: [], streams: [] } as Measurements,
      ]),
    );
    const machine = { cpus: cpus().length, model: cpus()[0]?.model, memoryBytes: totalmem(), node: process.version };
    const results = { begun, machine, load, options, all: [...all.values()] };
    for (const part of options.parts) {
      await step(part, () => measure(part, { rig, options, archive }, all));
      await writeFile(join(archive.dir, "results.json"), JSON.stringify(results, null, 1));
    }
    const report = `${renderBars(results.all, options)}\n\n${renderReport(results.all, options)}`;
    await writeFile(join(archive.dir, "table.md"), `${report}\n`);
    console.log(`\n${report}\n\nload of the machine before: ${load.map((value) => figure(value)).join(", ")}`);
    console.log(`raw data: ${relative(ROOT, archive.dir)}`);
  } finally {
    await rig.stop();
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") console.log(USAGE);
  else {
    // What is not there yet needs the network.
    await ensurePackages([
      ["nginx-light", "nginx"],
      ["wrk", "wrk"],
    ]);
    await ensureKubeBinaries();
    await ensureConfigurableHttpProxy();
    await enterOwnNetwork();
    await leaveProxyCore();
    await main(options);
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
