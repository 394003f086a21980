import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { KubeClient } from "#lib/kube/client.ts";
import type { Pod } from "#lib/kube/resource.ts";
import type { KubeObject, ResourceType } from "#lib/kube/types.ts";
import type { Kubectl } from "#test/cluster/kubectl.ts";

/**
 * An operator to be measured. A contender file is a module whose export `contender` is one of these; see
 * contender.example.ts.
 */
export interface Contender<T extends KubeObject = KubeObject> {
  /** Heads its columns. */
  readonly name: string;
  /** Begins the User-Agent of its requests, and of nobody else's. */
  readonly userAgent: string;
  /** Brings kinds, namespaces, rights and whatever it needs beside itself onto an empty apiserver. Waits until they are served. */
  install(o: { plane: Kubectl; client: KubeClient }): Promise<void>;
  /**
   * The command that runs it, all rights in `kubeconfig`. It must end itself on SIGTERM, and serve `/readyz` and `/metrics`
   * by controller-runtime's names at `port`. With `profileDir` it may leave `*.cpuprofile` there (V8 only).
   */
  command(o: { kubeconfig: string; port: number; profileDir?: string | undefined }): Promise<Command>;
  /** The kind of objects that are created. */
  readonly type: ResourceType<T>;
  /** The object of this name. */
  object(namespace: string, name: string): T;
  /** The operator has done all there is to do and says so. */
  isReady(object: T): boolean;
  /** Name of the object a pod belongs to; undefined for other pods. */
  ownerOf(pod: Pod): string | undefined;
  /** The children of an object, for what is done to them by hand. */
  children(name: string): readonly Child[];
}

/** A command line with its environment. */
export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A child of an object. */
export interface Child {
  readonly type: ResourceType;
  readonly name: string;
  /** A merge patch that changes a field the operator has to put back; none if it has no say in the rest of this child. */
  readonly drift?: object;
}

/** Loads a contender file. @throws Error when it exports no `contender`. */
export async function loadContender(file: string): Promise<Contender> {
  const { contender } = (await import(pathToFileURL(resolve(file)).href)) as { contender?: Contender };
  if (typeof contender?.command !== "function") throw new Error(`${file} does not export a contender`);
  return contender;
}
