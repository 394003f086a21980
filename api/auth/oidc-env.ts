import * as z from "zod";
import { issuersSchema, type OidcIssuer } from "./oidc-issuers.ts";

/** How callers sign in by OIDC. */
export interface OidcConfig {
  readonly issuers: readonly OidcIssuer[];
  /** How far clocks may differ, seconds. */
  readonly leewaySeconds: number;
  /** How often an issuer's keys are fetched, seconds: a key that it removed is good for so long yet. */
  readonly keyRefreshSeconds: number;
  /** A token is good for no longer than this after it was issued, seconds. */
  readonly maxTokenAgeSeconds: number;
  /** Path of a PEM file with authorities to trust beside the public ones. */
  readonly caFile: string | undefined;
}

/** Variables by which the API is told of issuers; spread into its schema. */
export const oidcEnv = {
  OIDC_ISSUERS: z
    .string()
    .default("[]")
    .transform(readIssuers)
    .describe('JSON: [{"issuer": "https://...", "audience": "..."}]'),
  OIDC_CLOCK_LEEWAY_SECONDS: z.coerce.number().int().min(0).max(300).default(60).describe("seconds, 0 to 300"),
  OIDC_KEY_REFRESH_SECONDS: z.coerce.number().int().min(10).max(86_400).default(300).describe("seconds, 10 to 86400"),
  OIDC_MAX_TOKEN_AGE_SECONDS: z.coerce
    .number()
    .int()
    .min(60)
    .max(2_592_000)
    .default(86_400)
    .describe("seconds, 60 to 2592000"),
  OIDC_CA_FILE: z.string().max(4096).optional().describe("path of a PEM file with authorities to trust"),
};

const oidcEnvSchema = z.object(oidcEnv);

/** Sign-in as the variables describe it. */
export function oidcConfig(given: z.output<typeof oidcEnvSchema>): OidcConfig {
  return {
    issuers: given.OIDC_ISSUERS,
    leewaySeconds: given.OIDC_CLOCK_LEEWAY_SECONDS,
    keyRefreshSeconds: given.OIDC_KEY_REFRESH_SECONDS,
    maxTokenAgeSeconds: given.OIDC_MAX_TOKEN_AGE_SECONDS,
    caFile: given.OIDC_CA_FILE,
  };
}

function readIssuers(text: string, context: z.RefinementCtx): OidcIssuer[] {
  const result = issuersSchema.safeParse(parseJson(text));
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues) {
    context.addIssue({ code: "custom", message: `${path.length > 0 ? `${z.core.toDotPath(path)}: ` : ""}${message}` });
  }
  return z.NEVER;
}

/** The parsed text, or undefined for what is no JSON, which no schema takes. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
