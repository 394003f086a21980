import type * as z from "zod";
import type { Scope } from "../auth/scopes.ts";
import type { ErrorCode } from "../errors.ts";
import type { Call, PublicCall } from "./call.ts";
import type { StaticDocument } from "./static-document.ts";

/** Groups of routes, as the reference shows them. */
export const TAGS = [
  "instance",
  "runtime",
  "sessions",
  "chat",
  "openai",
  "account",
  "access",
  "threads",
  "approvals",
  "billing",
  "admin",
  "control",
  "about",
] as const;

/** An action that an agent may only do once a human of the tenant has approved this very call. */
export interface GatedAction {
  /** Name of the agents' tool. */
  readonly tool: string;
  /** What the human is asked, in a sentence; `input` is what the call sends. */
  readonly summarize: (input: GatedInput) => string;
}

/** What a gated call sends: what of it the approval is bound to. */
export type GatedInput = Readonly<Record<string, unknown>>;

/** What was sent along, checked by the route's schemas; `{}` for what the route has no schema of. */
export interface Input<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly body: z.output<B>;
}

/** What every route says about itself: who may call it, what it takes and answers. Checks, limits and the reference walk these. */
interface RouteBase<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Express path; decides the error shape too (`/v1` = OpenAI's). */
  readonly path: string;
  /** Word in error texts: `openclaw <operation> <step>: ...`. */
  readonly operation: string;
  readonly tag: (typeof TAGS)[number];
  /** One sentence for the reference. */
  readonly summary: string;
  /** Of the path's parameters. */
  readonly params?: P;
  readonly query?: Q;
  /** Of the JSON body, read before the handler runs. */
  readonly body?: B;
  /** No body is as good as `{}`. */
  readonly bodyIsOptional?: true;
  /** Of a JSON body that the handler reads by itself, once it knows that there is somebody to read it. */
  readonly lateBody?: z.ZodType;
  /** The caller's `x-openclaw-*` headers are checked and reach the tenant's gateway. */
  readonly openclawHeaders?: true;
  /** Answers on purpose other than success, beside those that follow from access, parameters and body. */
  readonly errors: readonly ErrorCode[];
  /** Error statuses of the tenant's gateway are passed on. */
  readonly relaysErrors?: true;
}

/** A route whose answer is `data` in the envelope. */
interface DataRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> extends RouteBase<P, Q, B> {
  /** Of `data`. */
  readonly result: z.ZodType;
}

/** Needs no credential. */
export interface PublicRoute<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
> extends DataRoute<P, Q, B> {
  readonly access: "public";
  /** Calls are counted by client address, and refused when they are too many: the route does more than to answer a constant. */
  readonly limitedByAddress?: true;
  answer(call: PublicCall, input: Input<P, Q, B>): Promise<unknown>;
}

interface Guarded {
  /**
   * `signed-in`: any good credential; `tenant`: one that is let in and has the scope; `admin`: an admin's, with the scope.
   */
  readonly access: "signed-in" | "tenant" | "admin";
  /** What the credential must be good for; null only for what `signed-in` may ask about itself. */
  readonly scope: Scope | null;
  /** Not for agents. */
  readonly humansOnly?: true;
  /** While Postgres is away, who was let in within the last minute is let in; see `Freshness`. */
  readonly mayBeRemembered?: true;
  readonly gated?: GatedAction;
}

/** Acts for the caller of the credential. */
export interface TenantRoute<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
> extends DataRoute<P, Q, B>,
    Guarded {
  answer(call: Call, input: Input<P, Q, B>): Promise<unknown>;
}

/** Acts for the caller and writes the answer itself; what it throws before the first byte still becomes an error answer. */
export interface StreamRoute<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
> extends RouteBase<P, Q, B>,
    Guarded {
  /** What it may answer, by media type. */
  readonly content: Readonly<Record<string, z.ZodType>>;
  stream(call: Call, input: Input<P, Q, B>): Promise<void>;
}

/** Needs no credential and answers with one document, the same as long as the process lives. */
export interface DocumentRoute extends RouteBase<z.ZodType, z.ZodType, z.ZodType> {
  readonly access: "public";
  /** What it answers, by media type. */
  readonly content: Readonly<Record<string, z.ZodType>>;
  document(): StaticDocument;
}

/** One endpoint. */
export type Route = PublicRoute | ControlRoute | TenantRoute | StreamRoute | DocumentRoute;

/** For first-party servers on the internal listener, who hold the control key and name the user themselves. */
export interface ControlRoute<
  P extends z.ZodType = z.ZodType,
  Q extends z.ZodType = z.ZodType,
  B extends z.ZodType = z.ZodType,
> extends DataRoute<P, Q, B> {
  readonly access: "control";
  answer(call: PublicCall, input: Input<P, Q, B>): Promise<unknown>;
}

/** Ties the types of a route's schemas to its handler. */
export function controlRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  route: Omit<ControlRoute<P, Q, B>, "access">,
): ControlRoute<P, Q, B> {
  return { ...route, access: "control" };
}

/** Ties the types of a route's schemas to its handler. */
export function publicRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  route: Omit<PublicRoute<P, Q, B>, "access">,
): PublicRoute<P, Q, B> {
  return { ...route, access: "public" };
}

/** Ties the types of a route's schemas to its handler. */
export function tenantRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  route: TenantRoute<P, Q, B>,
): TenantRoute<P, Q, B> {
  return route;
}

/** Ties the types of a route's schemas to its handler. */
export function streamRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  route: StreamRoute<P, Q, B>,
): StreamRoute<P, Q, B> {
  return route;
}
