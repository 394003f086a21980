import type { Call, PublicCall } from "./call.ts";

/** What every route says about itself; checks that concern all routes walk these. */
interface RouteBase {
  readonly method: "GET" | "POST" | "DELETE";
  /** Express path; decides the error shape too (`/v1` = OpenAI's). */
  readonly path: string;
  /** Word in error texts: `openclaw <operation> <step>: ...`. */
  readonly operation: string;
}

/** Needs no credential; the result is the answer's `data`. */
export interface PublicRoute extends RouteBase {
  readonly access: "public";
  answer(call: PublicCall): Promise<unknown>;
}

/** Acts for the tenant of the credential; the result is the answer's `data`. */
export interface TenantRoute extends RouteBase {
  readonly access: "tenant";
  answer(call: Call): Promise<unknown>;
}

/** Acts for the tenant and writes the answer itself; what it throws before the first byte still becomes an error answer. */
export interface StreamRoute extends RouteBase {
  readonly access: "tenant";
  stream(call: Call): Promise<void>;
}

/** One endpoint. */
export type Route = PublicRoute | TenantRoute | StreamRoute;
