import { z } from "zod";

/** The environment of a process is unusable; `message` lists every faulty variable, never a value. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/**
 * Parses an environment with a zod object whose keys are the variables' names. Empty strings count as unset.
 * @throws ConfigError naming all faulty variables at once and what each expects (values are never repeated: they may be secrets).
 */
export function parseEnv<S extends z.ZodObject>(
  schema: S,
  env: Readonly<Record<string, string | undefined>>,
): z.output<S> {
  const known = Object.keys(schema.shape);
  const input = Object.fromEntries(known.map((name) => [name, env[name] === "" ? undefined : env[name]]));
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "environment");
    const expected = (schema.shape[name] as z.ZodType | undefined)?.description;
    const fault = input[name] === undefined ? "is not set" : issue.message;
    return `  ${name}: ${fault}${expected ? ` (expects ${expected})` : ""}`;
  });
  throw new ConfigError(`the environment is not usable:\n${[...new Set(lines)].join("\n")}`);
}

/** A TCP port given as text. */
export const envPort = z.coerce.number().int().min(0).max(65_535).describe("a TCP port, 0 to 65535");

/** An http(s) URL; answered without a trailing slash. */
export const envUrl = z
  .url({ protocol: /^https?$/, error: "is not an http(s) URL" })
  .describe("an http:// or https:// URL")
  .transform((url) => url.replace(/\/+$/, ""));

/** `true` or `false` given as text. */
export const envFlag = z.stringbool().describe("true or false");
