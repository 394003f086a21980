import type { ResourceType } from "./types.ts";

/** What follows the kind in a path. */
export interface PathParts {
  namespace?: string | undefined;
  name?: string | undefined;
  subresource?: string | undefined;
}

/** Query parameters; those undefined are left out. */
export type Query = Record<string, string | number | boolean | undefined>;

/**
 * The path under which the API serves a kind, a namespace's objects of it, or one object.
 * @throws TypeError when a named object lacks its namespace, or a cluster-scoped kind is given one.
 */
export function resourcePath(type: ResourceType, parts: PathParts = {}, query: Query = {}): string {
  const { namespace, name, subresource } = parts;
  if (name === "") throw new TypeError(`a ${type.kind} needs a name`);
  if (!type.namespaced && namespace)
    throw new TypeError(`${type.kind} is cluster-scoped, not in namespace ${namespace}`);
  if (type.namespaced && name !== undefined && !namespace)
    throw new TypeError(`${type.kind} ${name} needs a namespace`);
  const segments = [
    ...(type.group === "" ? ["api"] : ["apis", type.group]),
    type.version,
    ...(namespace ? ["namespaces", namespace] : []),
    type.plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource ? [subresource] : []),
  ];
  return `/${segments.map(encodeURIComponent).join("/")}${queryText(query)}`;
}

function queryText(query: Query): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) text.set(name, String(value));
  return text.size === 0 ? "" : `?${text.toString()}`;
}
