import type { Request, Response } from "express";
import type { Tenant } from "#crds/index.ts";
import type { Logger } from "#lib/log.ts";
import type { Identity } from "../auth/identity.ts";

/** One request being answered. */
export interface PublicCall {
  readonly req: Request;
  readonly res: Response;
  readonly requestId: string;
  /** Carries the request id and the route. */
  readonly log: Logger;
  /** Aborts when the client leaves before its answer was complete. */
  readonly signal: AbortSignal;
}

/** One request of a known caller. */
export interface Call extends PublicCall {
  readonly identity: Identity;
  /** The identity's. */
  readonly tenant: Tenant;
  /** Is an admin, whose credential has that scope; false also where the route asks for no more than a credential. */
  readonly isAdmin: boolean;
}

/** A signal that aborts when the client leaves before the answer was complete. */
export function clientSignal(res: Response): AbortSignal {
  const controller = new AbortController();
  res.once("close", () => {
    if (!res.writableFinished) controller.abort(new Error("the client left"));
  });
  return controller.signal;
}
