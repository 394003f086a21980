import { type Checker, isDone, what } from "./audit.ts";

const KINDS = /^(openclawinstances|openclawclasses)(\/\w+)?$/;
/** What the operator may write of the metadata of our kinds. */
const OWN: ReadonlySet<string> = new Set(["annotations", "finalizers", "resourceVersion", "uid", "name", "namespace"]);

/** The spec belongs to people: the operator writes the status, finalizers and annotations of our kinds and nothing else. */
export const untouchedSpecs: Checker = ({ requests, isOperator }) =>
  requests
    .filter((request) => isDone(request) && isOperator(request) && KINDS.test(request.resource))
    .flatMap((request) => {
      const { spec, metadata } = (request.request ?? {}) as { spec?: unknown; metadata?: object };
      const foreign = Object.keys(metadata ?? {}).filter((field) => !OWN.has(field));
      const written = [...(spec === undefined ? [] : ["spec"]), ...foreign.map((field) => `metadata.${field}`)];
      if (request.verb !== "patch") return [`${what(request)}: the operator only patches objects of people`];
      return written.length === 0 ? [] : [`${what(request)}: the operator writes ${written.join(", ")}`];
    });
