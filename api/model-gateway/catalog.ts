import type { OpenClawClass } from "#crds/index.ts";
import type { Informer } from "#lib/kube/informer.ts";

/** Where calls of a model go. */
export interface ModelTarget {
  /** Name of a provider in the gateway's configuration. */
  readonly provider: string;
  /** What the provider calls the model. */
  readonly providerModel: string;
}

/** The models that pods may ask for, by their name on the wire: `<class>/<model>`. */
export interface ModelCatalog {
  /** False until the catalog was read once; `find` and `names` mean nothing before. */
  readonly hasSynced: boolean;
  find(name: string): ModelTarget | undefined;
  /** All names, sorted. */
  names(): string[];
}

/** A catalog that is always as the OpenClawClasses of the cluster are now. */
export function createClassCatalog(classes: Pick<Informer<OpenClawClass>, "get" | "list" | "hasSynced">): ModelCatalog {
  return {
    get hasSynced() {
      return classes.hasSynced;
    },
    find(name) {
      // Neither a class's nor a model's name has a slash in it.
      const slash = name.indexOf("/");
      if (slash < 0) return undefined;
      const models = classes.get(name.slice(0, slash))?.spec.models;
      const model = models?.find((candidate) => candidate.name === name.slice(slash + 1));
      return model && { provider: model.provider, providerModel: model.providerModel };
    },
    names: () =>
      classes
        .list()
        .flatMap(({ metadata, spec }) => spec.models.map((model) => `${metadata.name}/${model.name}`))
        .sort(),
  };
}
