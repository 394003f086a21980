import { openCurrentTarget, removeRelease } from "./current-target.ts";
import type { ImageRefs, Target } from "./deploy.ts";
import { openLocalTarget, stopLocalCluster } from "./local-target.ts";
import type { Door } from "./port-forward.ts";
import type { Session } from "./session.ts";

/** A cluster that Hatchery is brought up on. */
export interface UpTarget extends Target {
  readonly kind: Session["cluster"];
  /** Builds the images where their inputs changed and brings them to where the nodes find them. */
  provideImages(): Promise<ImageRefs>;
  /** Opens a port of 127.0.0.1 that leads to a service and stays open after this process. */
  openService(namespace: string, service: string, port: number, previous: number | undefined): Promise<Door>;
}

/** The cluster that `CLUSTER` names: a local one of our own (default), or `current`, the kubeconfig's current context. */
export function chooseTarget(env: Readonly<Record<string, string | undefined>>): Promise<UpTarget> {
  switch (env.CLUSTER ?? "local") {
    case "local":
      return openLocalTarget();
    case "current":
      return openCurrentTarget(env);
    default:
      throw new Error(`CLUSTER is "${env.CLUSTER}"; leave it unset for a local cluster, or set it to "current"`);
  }
}

/** Takes down what the session brought up; without one, a local cluster that may be left over. */
export async function stopTarget(session: Session | undefined): Promise<void> {
  if (session?.cluster === "current") await removeRelease(session);
  else await stopLocalCluster();
}
