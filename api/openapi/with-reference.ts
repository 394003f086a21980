import { VERSION } from "#lib/version.ts";
import type { Scheme } from "../auth/identity.ts";
import type { Route } from "../http/route.ts";
import { staticDocument } from "../http/static-document.ts";
import { getDocs } from "../routes/get-docs.ts";
import { getOpenApi } from "../routes/get-openapi.ts";
import { openApiDocument } from "./document.ts";
import { referencePage } from "./page.ts";

/** These routes and the two that tell of them all, themselves included. The documents are made here, once. */
export function withReference(routes: readonly Route[], schemes: readonly Scheme[]): Route[] {
  const all: Route[] = [...routes, getOpenApi(() => json), getDocs(() => page)];
  const document = openApiDocument({ routes: all, schemes, version: VERSION });
  const json = staticDocument("application/json; charset=utf-8", JSON.stringify(document));
  const page = referencePage(document);
  return all;
}
