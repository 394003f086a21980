import { hash } from "node:crypto";

/** SHA-256 of a text as hex. Caches hold this in place of credentials and configurations. */
export function digest(text: string): string {
  return hash("sha256", text, "hex");
}

/** The entries of a ConfigMap's or Secret's `data`, each value reduced to its digest. */
export function digestEntries(data: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, digest(value)]));
}
