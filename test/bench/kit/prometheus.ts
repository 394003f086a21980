import type { Buckets } from "./statistics.ts";

/** One sample of Prometheus' text form. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** The samples of a page of metrics; comments and what is no sample are left out. */
export function parseMetrics(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", value = ""] = LINE.exec(line) ?? [];
    if (name === undefined) return [];
    const entries = [...labels.matchAll(LABEL)].map(([, label = "", text_ = ""]) => [label, text_] as const);
    return [
      { name, labels: Object.fromEntries(entries), value: value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value) },
    ];
  });
}

/** The sum of all samples of a name that carry these labels; 0 when there is none. */
export function sumOf(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  return samples
    .filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
    .reduce((sum, { value }) => sum + value, 0);
}

/** A histogram, summed over all its label sets. */
export function bucketsOf(samples: readonly Sample[], histogram: string): Buckets {
  const counts = new Map<number, number>();
  for (const { name, labels, value } of samples) {
    if (name !== `${histogram}_bucket`) continue;
    const le = labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le);
    counts.set(le, (counts.get(le) ?? 0) + value);
  }
  return [...counts].sort(([a], [b]) => a - b);
}
