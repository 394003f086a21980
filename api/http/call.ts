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
  /** True once the client has left before its answer was complete: what `signal` says, for those who only ask. */
  readonly isAbandoned: boolean;
}

/** One request of a known caller. */
export interface Call extends PublicCall {
  readonly identity: Identity;
  /** The identity's. */
  readonly tenant: Tenant;
  /** Is an admin, whose credential has that scope; false also where the route asks for no more than a credential. */
  readonly isAdmin: boolean;
}

/** What a call is made of. */
export interface CallParts {
  readonly req: Request;
  readonly res: Response;
  readonly requestId: string;
  /** Of the process. */
  readonly log: Logger;
  /** The route's path. */
  readonly route: string;
}

/** A call, of which the costly parts are made when somebody asks for them: most calls need none. /!\ Hot path. */
export class LazyCall implements PublicCall {
  readonly req: Request;
  readonly res: Response;
  readonly requestId: string;
  readonly #parts: CallParts;
  #log: Logger | undefined;
  #signal: AbortSignal | undefined;

  constructor(parts: CallParts) {
    this.req = parts.req;
    this.res = parts.res;
    this.requestId = parts.requestId;
    this.#parts = parts;
  }

  get log(): Logger {
    const { log, requestId, route } = this.#parts;
    this.#log ??= log.child({ requestId, route });
    return this.#log;
  }

  get signal(): AbortSignal {
    this.#signal ??= clientSignal(this.res);
    return this.#signal;
  }

  get isAbandoned(): boolean {
    return isAbandoned(this.res);
  }

  /** The same call, of this caller. */
  of(identity: Identity, isAdmin: boolean): Call {
    return new IdentifiedCall(this.#parts, identity, isAdmin);
  }
}

class IdentifiedCall extends LazyCall implements Call {
  readonly identity: Identity;
  readonly isAdmin: boolean;

  constructor(parts: CallParts, identity: Identity, isAdmin: boolean) {
    super(parts);
    this.identity = identity;
    this.isAdmin = isAdmin;
  }

  get tenant(): Tenant {
    return this.identity.tenant;
  }
}

function isAbandoned(res: Response): boolean {
  return res.closed && !res.writableFinished;
}

/** A signal that aborts when the client leaves before the answer was complete. */
function clientSignal(res: Response): AbortSignal {
  const controller = new AbortController();
  const judge = () => {
    if (isAbandoned(res)) controller.abort(new Error("the client left"));
  };
  if (res.closed) judge();
  else res.once("close", judge);
  return controller.signal;
}
