import type { Response } from "express";
import type * as z from "zod";
import type { Fault } from "../error-mapper.ts";
import { type ErrorCode, GatewayAnswerError } from "../errors.ts";
import { errorCodesOf } from "./declared-errors.ts";
import type { Route } from "./route.ts";

/** An answer that is not as its route declares, and so not as the reference says. */
export class Drift extends Error {
  override name = "Drift";
}

/** Told of answers that are not as declared. Tests have one; a serving process looks at nothing. */
export type DriftWatcher = (drift: Drift) => void;

/** `data` as it goes over the wire, held against the route's `result`. @throws Drift */
export function checkData(route: Route & { result: z.ZodType }, data: unknown): void {
  // Left out of JSON, and so out of the answer.
  if (data === undefined) throw new Drift(`${route.operation} answers without data`);
  const judged = route.result.safeParse(JSON.parse(JSON.stringify(data)));
  if (judged.success) return;
  const [issue] = judged.error.issues;
  throw new Drift(
    `${route.operation} answers data that it does not declare: ${issue?.path.join(".")}: ${issue?.message}`,
  );
}

/** The code of an error answer, held against what the route declares; undefined when it is declared. */
export function faultDrift(route: Route, error: unknown, fault: Fault): Drift | undefined {
  if (error instanceof GatewayAnswerError && route.relaysErrors) return undefined;
  // Nobody is there to read it.
  if (fault.code === "client_gone" || errorCodesOf(route).has(fault.code as ErrorCode)) return undefined;
  return new Drift(`${route.operation} answers ${fault.status} ${fault.code}, which it does not declare`, {
    cause: error,
  });
}

/** What a handler that writes by itself has sent, held against the route's media types; undefined when it is as declared. */
export function contentDrift(route: Route & { content: object }, res: Response): Drift | undefined {
  if (!res.headersSent || res.statusCode >= 400) return undefined;
  const header = res.getHeader("content-type");
  const [type = ""] = String(header).split(";");
  // A gateway may say nothing of what it answers.
  if (res.statusCode === 200 && (header === undefined || type in route.content)) return undefined;
  return new Drift(`${route.operation} answers ${res.statusCode} ${type}, which it does not declare`);
}
