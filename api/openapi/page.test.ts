import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { SCHEMES } from "../auth/identity.ts";
import type { ApiContext } from "../context.ts";
import { publicRoute, type Route } from "../http/route.ts";
import { createRoutes } from "../routes/index.ts";
import { openApiDocument } from "./document.ts";
import { referenceMarkdown } from "./markdown.ts";
import { referencePage } from "./page.ts";

const documentOf = (routes: readonly Route[]) => openApiDocument({ routes, schemes: SCHEMES, version: "1.2.3" });
const routes = createRoutes({} as ApiContext);
const { plain, headers } = referencePage(documentOf(routes));
const page = plain.bytes.toString();
const all = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, found = ""]) => found);

describe("the page", () => {
  it("shows every operation with its scope, and explains every code", () => {
    const ids = new Set(all(/ id="([^"]+)"/g));
    for (const { operation, errors } of routes) {
      expect(ids).toContain(operation);
      for (const code of errors) expect(ids).toContain(`error-${code}`);
    }
    const [, postCredits = ""] = /<article id="grantCredits"(.*?)<\/article>/s.exec(page) ?? [];
    expect(postCredits).toContain("For admins with the scope <code>admin</code>");
    expect(postCredits).toContain("<code>idempotency_key</code>");
    expect(postCredits).toContain('<a href="#error-idempotency_conflict">');
  });

  it("leads nowhere but to itself and the document", () => {
    const ids = all(/ id="([^"]+)"/g);
    expect(new Set(ids).size).toBe(ids.length);
    const links = all(/ href="([^"]*)"/g);
    expect(links.length).toBeGreaterThan(100);
    expect(links.filter((link) => !link.startsWith("#"))).toEqual(["openapi.json"]);
    expect(links.filter((link) => link.startsWith("#") && !ids.includes(link.slice(1)))).toEqual([]);
  });

  it("loads nothing and runs nothing, which its policy says too", () => {
    expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|form)\b| (src|style|on\w+)=|@import|url\(/i);
    const [style = "", ...more] = all(/<style>(.*?)<\/style>/gs);
    expect(more).toEqual([]);
    const hash = createHash("sha256").update(style).digest("base64");
    expect(headers["content-security-policy"]).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
  });

  it("closes what it opens, in order, and has a language, a title and one main heading", () => {
    const open: string[] = [];
    for (const [, slash, tag = ""] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)\b[^>]*>/g)) {
      if (["meta", "br"].includes(tag)) continue;
      if (slash) expect(open.pop()).toBe(tag);
      else open.push(tag);
    }
    expect(open).toEqual([]);
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page).toContain("<title>Hatchery API</title>");
    expect(all(/(<h1>)/g)).toHaveLength(1);
    // Headers of tables say what they are the head of.
    expect(all(/<(th(?! scope="(?:col|row)")\b)/g)).toEqual([]);
  });

  it("takes no text for HTML", () => {
    const evil = `</code><script>alert("1")</script>'"&`;
    const route = publicRoute({
      method: "GET",
      path: "/api/<b>",
      operation: "evil",
      tag: "about",
      summary: `${evil} and \`${evil}\``,
      query: z.object({ '"><i>': z.string().describe(evil).optional() }),
      result: z.strictObject({ "<u>": z.enum(["<s>"]).describe(evil) }),
      errors: [],
      answer: async () => "",
    });
    const text = referencePage(documentOf([route])).plain.bytes.toString();
    expect(text).not.toMatch(/<(script|b|i|u|s)>/);
    expect(text).toContain("&lt;/code&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&quot;&amp;");
  });
});

it("the page of Markdown shows every operation, and keeps its tables whole", () => {
  const text = referenceMarkdown(documentOf(routes), "a command");
  for (const { method, path } of routes) {
    expect(text).toContain(`### \`${method} ${path.replace(/:(\w+)/g, "{$1}")}\``);
  }
  const rows = text.split("\n").filter((line) => line.startsWith("|"));
  for (const row of rows) expect(row, row).toMatch(/^\|.*\|$/);
  expect(text).not.toContain("1.2.3");
});
