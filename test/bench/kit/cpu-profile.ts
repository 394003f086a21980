/** The parts of a V8 CPU profile (`node --cpu-prof`) that are read here; times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Time spent in one function itself, in seconds, and as a share (0 to 1) of all time that was not idle. */
export interface SelfTime {
  readonly what: string;
  readonly seconds: number;
  readonly share: number;
}

/** The functions most time was spent in themselves, the most expensive first. Idle time is left out. */
export function summariseProfile({ nodes, samples, timeDeltas }: CpuProfile, top: number): SelfTime[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const micros = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id);
    if (!frame || frame.functionName === "(idle)") continue;
    const what = nameOf(frame);
    micros.set(what, (micros.get(what) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const all = [...micros.values()].reduce((sum, value) => sum + value, 0);
  return [...micros]
    .sort(([, a], [, b]) => b - a)
    .slice(0, top)
    .map(([what, value]) => ({ what, seconds: value / 1e6, share: value / all }));
}

function nameOf({ functionName, url, lineNumber }: CpuProfile["nodes"][number]["callFrame"]): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  return `${name} ${url.slice(url.lastIndexOf("/") + 1)}:${lineNumber + 1}`;
}
