import * as z from "zod";

/** TLS to Postgres, in libpq's words: `verify-full` checks name and chain, `require` encrypts only. */
export const TLS_MODES = ["disable", "require", "verify-full"] as const;

/** Variables by which a process is told of its database; spread into its schema. */
export const databaseEnv = {
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: "is not a postgresql:// URL" })
    .refine((url) => new URL(url).password === "", "has a password: it goes into DATABASE_PASSWORD")
    .refine((url) => new URL(url).search === "", "has a query: settings have variables of their own")
    .refine((url) => new URL(url).username !== "", "names no user")
    .refine((url) => new URL(url).pathname.length > 1, "names no database")
    .describe("postgresql://user@host:port/database"),
  DATABASE_PASSWORD: z.string().max(1024).optional().describe("the password of the user in DATABASE_URL"),
  DATABASE_TLS: z
    .enum(TLS_MODES)
    .default("disable")
    .describe(`one of ${TLS_MODES.join(", ")}`),
  DATABASE_CA_FILE: z.string().max(4096).optional().describe("path of a PEM file with the authorities to trust"),
  DATABASE_POOL_MAX: z.coerce.number().int().min(1).max(1000).default(10).describe("a whole number, 1 to 1000"),
  DATABASE_STATEMENT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(600_000)
    .default(5_000)
    .describe("milliseconds, 100 to 600000"),
};

/** How a database is reached. */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly password: string | undefined;
  readonly tls: (typeof TLS_MODES)[number];
  /** Path of a PEM file. */
  readonly caFile: string | undefined;
  /** Connections of this process at most. */
  readonly poolMax: number;
  /** Longest time of one statement, milliseconds. */
  readonly statementTimeoutMs: number;
}

const databaseEnvSchema = z.object(databaseEnv);

/** The database as the variables describe it. */
export function databaseConfig(given: z.output<typeof databaseEnvSchema>): DatabaseConfig {
  const { hostname, port, username, pathname } = new URL(given.DATABASE_URL);
  return {
    host: decodeURIComponent(hostname).replace(/^\[|\]$/g, ""),
    port: Number(port || 5432),
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
    password: given.DATABASE_PASSWORD,
    tls: given.DATABASE_TLS,
    caFile: given.DATABASE_CA_FILE,
    poolMax: given.DATABASE_POOL_MAX,
    statementTimeoutMs: given.DATABASE_STATEMENT_TIMEOUT_MS,
  };
}
