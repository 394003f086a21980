const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?\d+))?$/;
const FACTORS: Record<string, number> = {
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number a Kubernetes quantity (`500m`, `1Gi`, `2e3`, `4`) stands for; undefined when it is none. */
export function readQuantity(text: unknown): number | undefined {
  if (typeof text !== "string" && typeof text !== "number") return undefined;
  const [, digits, suffix, exponent] = QUANTITY.exec(String(text)) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * (suffix === undefined ? 10 ** Number(exponent ?? 0) : (FACTORS[suffix] ?? 1));
}
