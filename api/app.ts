import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import type { ApiContext } from "./context.ts";
import { faultOf } from "./error-mapper.ts";
import { ApiError } from "./errors.ts";
import { cors } from "./http/cors.ts";
import { sendFault, surfaceOf } from "./http/envelope.ts";
import { prepare } from "./http/prepare.ts";
import type { Route } from "./http/route.ts";
import { serve } from "./http/serve.ts";
import { createRoutes } from "./routes/index.ts";

/** The public listener's application: all routes, and JSON for whatever isn't one. */
export function createApp(context: ApiContext, routes: readonly Route[] = publicRoutes(context)): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  // What `req.ip` is: the nearest address that is none of these, as `X-Forwarded-For` tells behind them, else the peer's.
  app.set("trust proxy", [...context.trustedProxies]);
  // One spelling per resource: what a gate or a log sees is what runs.
  app.enable("case sensitive routing");
  app.enable("strict routing");
  app.use(prepare(context));
  // Pages have no business with the internal listener.
  const isInternal = routes.some(({ access }) => access === "control");
  if (!isInternal && context.allowedOrigins.size > 0) app.use(cors(context.allowedOrigins));
  const fixed = new Map<string, RequestHandler>();
  for (const [path, atPath] of Map.groupBy(routes, (route) => route.path)) {
    const handler = serveMethods(context, path, atPath);
    if (path.includes(":")) app.all(path, handler);
    else fixed.set(path, handler);
  }
  app.use(serveFixed(fixed));
  app.use(refusePath);
  app.use(answerError(context));
  return app;
}

/** Paths without parameters are looked up: Express tries its routes one after the other, which takes longer with each new one. */
function serveFixed(handlers: ReadonlyMap<string, RequestHandler>): RequestHandler {
  return (req, res, next) => {
    const handler = handlers.get(req.path);
    return handler ? handler(req, res, next) : next();
  };
}

function publicRoutes(context: ApiContext): Route[] {
  return createRoutes(context, [...new Set(context.authenticators.map(({ scheme }) => scheme))]);
}

/** All routes of one path. */
function serveMethods(context: ApiContext, path: string, routes: readonly Route[]): RequestHandler {
  const handlers = new Map(
    routes.flatMap((route) => {
      const handler = serve(context, route);
      return allowed(route).map((method) => [method, handler] as const);
    }),
  );
  const refuse = refuseMethod(path, routes);
  return (req, res, next) => (handlers.get(req.method) ?? refuse)(req, res, next);
}

/** A HEAD of a stream would do all its work for nothing, and of a watch never end. */
function allowed(route: Route): string[] {
  return route.method === "GET" && !("stream" in route) ? ["GET", "HEAD"] : [route.method];
}

function refuseMethod(path: string, routes: readonly Route[]): RequestHandler {
  const allow = routes.flatMap(allowed).join(", ");
  return (_req, res) => {
    res.locals.route = path;
    res.set("allow", allow);
    throw new ApiError("method_not_allowed", `method not allowed, this path knows ${allow}`);
  };
}

const refusePath: RequestHandler = () => {
  throw new ApiError("not_found", "no such path");
};

/** Errors outside of routes: unknown paths and methods, and paths that can't be decoded. */
function answerError(context: ApiContext): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const requestId = String(res.getHeader("x-request-id"));
    const fault = faultOf(error);
    if (fault.unexpected) context.log.error({ requestId, err: error }, "request failed unexpectedly");
    if (res.headersSent) res.destroy();
    else sendFault(res, fault, { surface: surfaceOf(req.path), requestId });
  };
}
