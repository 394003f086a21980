import express, { type ErrorRequestHandler, type RequestHandler } from "express";
import type { ApiContext } from "./context.ts";
import { faultOf } from "./error-mapper.ts";
import { ApiError } from "./errors.ts";
import { sendFault, surfaceOf } from "./http/envelope.ts";
import { prepare } from "./http/prepare.ts";
import type { Route } from "./http/route.ts";
import { serve } from "./http/serve.ts";
import { createRoutes } from "./routes/index.ts";

/** The public listener's application: all routes, and JSON for whatever isn't one. */
export function createApp(context: ApiContext, routes: readonly Route[] = createRoutes(context)): express.Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  // What `req.ip` is: the nearest address that is none of these, as `X-Forwarded-For` tells behind them, else the peer's.
  app.set("trust proxy", [...context.trustedProxies]);
  // One spelling per resource: what a gate or a log sees is what runs.
  app.enable("case sensitive routing");
  app.enable("strict routing");
  app.use(prepare(context));
  for (const [path, atPath] of byPath(routes)) {
    const refuse = refuseMethod(path, atPath);
    for (const route of atPath) {
      if (!allowed(route).includes("HEAD")) app.head(path, refuse);
      app[verb(route)](path, serve(context, route));
    }
    app.all(path, refuse);
  }
  app.use(refusePath);
  app.use(answerError(context));
  return app;
}

function byPath(routes: readonly Route[]): Map<string, Route[]> {
  return Map.groupBy(routes, (route) => route.path);
}

function verb({ method }: Route): "get" | "post" | "put" | "patch" | "delete" {
  return method.toLowerCase() as Lowercase<typeof method>;
}

/** A HEAD of a stream would do all its work for nothing, and of a watch never end. */
function allowed(route: Route): string[] {
  return route.method === "GET" && "answer" in route ? ["GET", "HEAD"] : [route.method];
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
