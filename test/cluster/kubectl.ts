import { run } from "./shell.ts";

/** kubectl against one cluster. */
export interface Kubectl {
  /** Runs kubectl and gives what it wrote to standard output. Throws CommandError with what it wrote to standard error. */
  kubectl(...args: string[]): Promise<string>;
  /** Applies a manifest (YAML or JSON text) on the server's side. */
  apply(manifest: string): Promise<string>;
}

/** kubectl at `path` with the rights of `kubeconfig`. */
export function createKubectl(path: string, kubeconfig: string): Kubectl {
  const start = [path, "--kubeconfig", kubeconfig];
  return {
    kubectl: (...args) => run([...start, ...args]),
    apply: (manifest) => run([...start, "apply", "--server-side", "-f", "-"], { input: manifest }),
  };
}
