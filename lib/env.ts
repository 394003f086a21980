import * as z from "zod";

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
    const expected = descriptionOf(schema.shape[name]);
    const fault = input[name] === undefined ? "is not set" : issue.message;
    return `  ${name}: ${fault}${expected ? ` (expects ${expected})` : ""}`;
  });
  throw new ConfigError(`the environment is not usable:\n${[...new Set(lines)].join("\n")}`);
}

/** The description of a variable, also where a default or `optional` is wrapped around what has it. */
function descriptionOf(type: unknown): string | undefined {
  if (!(type instanceof z.ZodType)) return undefined;
  if (type.description !== undefined) return type.description;
  if (type instanceof z.ZodDefault || type instanceof z.ZodOptional) return descriptionOf(type.unwrap());
  return type instanceof z.ZodPipe ? descriptionOf(type.in) : undefined;
}

/** A number of bytes given as text; above the largest single body, 25 MiB. */
export const envBytes = z.coerce
  .number()
  .int()
  .min(26_214_400)
  .describe("a number of bytes, at least 26214400 (25 MiB)");

/** A TCP port given as text. */
export const envPort = z.coerce.number().int().min(0).max(65_535).describe("a TCP port, 0 to 65535");

/** An http(s) URL that something is appended to; answered without a trailing slash. A user, query or hash could hold a secret. */
export const envUrl = z
  .url({ protocol: /^https?$/, error: "is not an http(s) URL" })
  .refine((url) => !/[?#]/.test(url) && !hasUser(url), "has a user, a query or a hash")
  .describe("an http:// or https:// URL without user, query and hash")
  .transform((url) => url.replace(/\/+$/, ""));

function hasUser(url: string): boolean {
  return /^https?:\/*[^/\\]*@/i.test(url);
}
