import type { Request, Response } from "express";
import type { Tenant } from "#crds/index.ts";
import type { Logger } from "#lib/log.ts";
import type { Identity } from "../auth/identity.ts";

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

/** One request being answered. What most calls never need is made when somebody asks for it. /!\ Hot path. */
export class PublicCall {
  readonly req: Request;
  readonly res: Response;
  readonly requestId: string;
  readonly #parts: CallParts;
  #log: Logger | undefined;
  #signal: AbortSignal | undefined;

  constructor(parts: CallParts, signal?: AbortSignal) {
    this.req = parts.req;
    this.res = parts.res;
    this.requestId = parts.requestId;
    this.#parts = parts;
    this.#signal = signal;
  }

  /** Carries the request id and the route. */
  get log(): Logger {
    const { log, requestId, route } = this.#parts;
    this.#log ??= log.child({ requestId, route });
    return this.#log;
  }

  /** Aborts when the client leaves before its answer was complete. */
  get signal(): AbortSignal {
    this.#signal ??= clientSignal(this.res);
    return this.#signal;
  }

  /** True once the client has left before its answer was complete; for those who need not be told. */
  get isAbandoned(): boolean {
    return isAbandoned(this.res);
  }

  /** The same call, by this caller. */
  by(identity: Identity, isAdmin: boolean): Call {
    return new Call(this.#parts, identity, isAdmin);
  }

  protected get parts(): CallParts {
    return this.#parts;
  }
}

/** One request of a known caller. */
export class Call extends PublicCall {
  readonly identity: Identity;
  /** Is an admin, whose credential has that scope; false also where the route asks for no more than a credential. */
  readonly isAdmin: boolean;

  constructor(parts: CallParts, identity: Identity, isAdmin: boolean, signal?: AbortSignal) {
    super(parts, signal);
    this.identity = identity;
    this.isAdmin = isAdmin;
  }

  /** The identity's. */
  get tenant(): Tenant {
    return this.identity.tenant;
  }

  /** The same call, given up when this signal aborts. */
  until(signal: AbortSignal): Call {
    return new Call(this.parts, this.identity, this.isAdmin, signal);
  }
}

function isAbandoned(res: Response): boolean {
  return res.closed && !res.writableFinished;
}

function clientSignal(res: Response): AbortSignal {
  const controller = new AbortController();
  const judge = () => {
    if (isAbandoned(res)) controller.abort(new Error("the client left"));
  };
  if (res.closed) judge();
  else res.once("close", judge);
  return controller.signal;
}
