import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { ensureKubeBinaries } from "#test/cluster/binaries.ts";
import { run } from "#test/cluster/shell.ts";

/** Folder of the chart. */
export const CHART = fileURLToPath(new URL("hatchery", import.meta.url));
/** Namespace it is rendered for. */
export const NAMESPACE = "hatchery";

/** Values as a user gives them, and the least that is needed. */
export type Values = Record<string, unknown>;
export const LEAST_VALUES: Values = {
  image: { repository: "hatchery/server" },
  modelProviders: [{ name: "main", baseUrl: "http://models.example.org:8000/v1", apiKey: "sk-main" }],
  standardClass: {
    image: "hatchery/openclaw:2026.9.6",
    models: [{ name: "default", provider: "main", providerModel: "some-model" }],
  },
};

/** Values for a Postgres that somebody else runs. */
export const EXTERNAL_DATABASE = {
  postgres: { enabled: false },
  externalDatabase: {
    host: "db.example.org",
    owner: { user: "hatchery_owner", existingSecret: { name: "database-owner" } },
    api: { existingSecret: { name: "database-api" } },
  },
};

/** A rendered object, as far as tests look into all of them. */
export interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    uid?: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [part: string]: unknown;
}

/** Runs helm. Throws CommandError with its words. */
export async function helm(args: readonly string[], values?: Values): Promise<string> {
  const { helm: path } = await ensureKubeBinaries();
  if (!values) return run([path, ...args]);
  return run([path, ...args, "--values", "-"], { input: JSON.stringify(values) });
}

/** Everything the chart renders for these values over the least ones; `args` are more flags for `helm template`. */
export function render(values: Values = {}, ...args: string[]): Promise<Rendered[]> {
  return renderAs("hatchery", values, ...args);
}

/** The same as a release of another name. */
export async function renderAs(release: string, values: Values = {}, ...args: string[]): Promise<Rendered[]> {
  const command = ["template", release, CHART, "--namespace", NAMESPACE, ...args];
  return parseAllDocuments(await helm(command, { ...LEAST_VALUES, ...values }))
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** The one object of a kind and name. Throws when it is not there. */
export function find<T = Rendered>(objects: readonly Rendered[], kind: string, name: string): T {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1) throw new Error(`there are ${found.length} ${kind} ${name}`);
  return found[0] as T;
}
