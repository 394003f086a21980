import * as z from "zod";
import { resourcesSchema } from "./class-spec.ts";
import { atomicList } from "./collections.ts";
import { volumeSizeSchema } from "./quantity.ts";
import { cidr, port } from "./scalars.ts";

/** The name of an object in the namespace of the release, or nothing. */
const objectName = z
  .string()
  .max(253)
  .regex(/^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$/, "is not the name of an object");

/** A key of a Secret. */
export const secretKey = (name: string, what: string) =>
  z
    .strictObject({
      name: objectName.describe(name),
      key: z
        .string()
        .min(1)
        .max(253)
        .regex(/^[-._a-zA-Z0-9]+$/, "is not a key of a Secret")
        .describe("Key inside the Secret."),
    })
    .describe(what);

const password = secretKey("Name of the Secret, in the namespace of the release; needed.", "Holds its password.");

/** The chart's own Postgres. */
export const postgresSchema = z
  .strictObject({
    enabled: z.boolean().describe("Run it; else `externalDatabase` is used."),
    image: z
      .strictObject({
        repository: z.string().min(1).max(400).describe("Repository."),
        tag: z.string().min(1).max(128).describe("Tag. Another major version does not read the volume of this one."),
        pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).describe("When it is pulled."),
      })
      .describe("The official image of Postgres (on Debian), or one that keeps to its environment and user 999."),
    existingSecret: objectName.describe(
      "A Secret with `OWNER_PASSWORD` and `API_PASSWORD`; generated once and kept when empty.",
    ),
    storage: z
      .strictObject({
        size: volumeSizeSchema.describe("Size; larger than before, the volume grows."),
        storageClassName: objectName.describe("StorageClass of a new volume; the cluster's default when empty."),
      })
      .describe("Its volume, which an uninstall leaves."),
    maxConnections: z.int().min(20).max(10_000).describe("Connections that it takes, of all replicas of the API."),
    resources: resourcesSchema.describe("Resources of its pod."),
  })
  .describe("A Postgres of one pod that comes with the chart.");

/** A Postgres that somebody else runs. */
export const externalDatabaseSchema = z
  .strictObject({
    host: z
      .string()
      .max(253)
      .regex(/^([a-zA-Z0-9]([-.a-zA-Z0-9]*[a-zA-Z0-9])?|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)?$/, "is not a host")
      .describe("Its name or address; needed."),
    port: port().describe("Its port."),
    name: z
      .string()
      .max(63)
      .regex(/^[^\s/?#%]+$/, "is not the name of a database")
      .describe("The database; it must exist."),
    owner: z
      .strictObject({
        user: z
          .string()
          .max(63)
          .regex(/^[^\s/?#%]*$/, "is not the name of a role")
          .describe("Its name; needed. It must be allowed to create in the schema `public` of the database."),
        existingSecret: password,
      })
      .describe("The role that owns the tables, used by migrations alone."),
    api: z
      .strictObject({
        user: z
          .string()
          .max(63)
          .regex(/^[a-z_][a-z0-9_]*$/, "is not the name of a role: a-z, 0-9 and _")
          .describe("Its name."),
        existingSecret: password,
      })
      .describe("The role of the API, which gets the rights that it needs and no others."),
    manageApiRole: z
      .boolean()
      .describe("Let the owner make the API's role and set its password (needs CREATEROLE); else it must exist."),
    tls: z
      .strictObject({
        mode: z
          .enum(["disable", "require", "verify-full"])
          .describe("`verify-full` checks the certificate and its name, `require` encrypts only."),
        caSecret: secretKey(
          "Name of the Secret, in the namespace of the release; empty when public authorities vouch for it.",
          "Holds the authorities that vouch for its certificate, as PEM.",
        ),
      })
      .describe("Encryption of the connections."),
    cidrs: atomicList(cidr().describe("Addresses."), 16).describe(
      "Its addresses, for the NetworkPolicy; any when empty.",
    ),
  })
  .describe("A Postgres of your own (14 or newer), for `postgres.enabled: false`.");

/** A list that becomes one variable, whose items commas separate. */
const words = (item: z.ZodString, what: string) => atomicList(item, 200).describe(what);

/** Who may use the API. */
export const accessSchema = z
  .strictObject({
    mode: z
      .enum(["approved", "open"])
      .describe("`approved`: those whom an admin let in; `open`: everybody with a credential."),
    adminUserIds: words(
      z
        .string()
        .min(1)
        .max(256)
        .regex(/^[^,]+$/, "holds a comma")
        .describe("A user's id."),
      "Users who are admins.",
    ),
    adminEmails: words(
      z
        .string()
        .max(254)
        .regex(/^[^\s@,]+@[^\s@,]+\.[^\s@,]+$/, "is not an e-mail address")
        .describe("An e-mail address."),
      "Admins by e-mail address, verified by who vouches for the user.",
    ),
    adminGroup: z.string().max(256).describe("Members of this group of the identity provider are admins."),
  })
  .describe("Who may use the API.");

/** An origin as a browser sends it. */
export const originsSchema = words(
  z
    .string()
    .max(300)
    .regex(/^https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?$|^https?:\/\/\[[0-9a-f:]+\](:[0-9]{1,5})?$/, "is not an origin")
    .describe("An origin."),
  "Origins whose pages may call the API, e.g. `https://console.example.org`.",
);

/** The check of what Postgres keeps. */
export const ledgerCheckSchema = z
  .strictObject({
    schedule: z
      .string()
      .max(100)
      .regex(
        /^(@(hourly|daily|weekly|monthly)|[-0-9A-Za-z*,/?]+( [-0-9A-Za-z*,/?]+){4})?$/,
        "is not a schedule as in cron",
      )
      .describe("When it runs, as in cron, by UTC; never when empty."),
    resources: resourcesSchema.describe("Resources of its pod."),
  })
  .describe("The check of ledger and audit log: all hashes and balances are computed anew.");

/** Proxies in front of the API. */
export const proxiesSchema = words(
  z
    .string()
    .max(43)
    .regex(/^[0-9a-fA-F:.]+(\/[1-9][0-9]{0,2})?$/, "is no address and no CIDR range of some addresses")
    .describe("An address or a CIDR range."),
  "Proxies whose `X-Forwarded-For` tells the client's address, e.g. an ingress controller's pods.",
);
