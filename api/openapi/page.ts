import { createHash } from "node:crypto";
import { ERROR_STATUS } from "../errors.ts";
import { type StaticDocument, staticDocument } from "../http/static-document.ts";
import { ERROR_MEANING } from "./error-meanings.ts";
import type { Field } from "./fields.ts";
import { type Html, html, inline } from "./html.ts";
import { type OperationEntry, type Section, sectionsOf, usedCodes } from "./reference.ts";
import { STYLE } from "./style.ts";
import type { OpenApiDocument } from "./types.ts";

/** The reference as a page that needs no script and loads nothing. */
export function referencePage(document: OpenApiDocument): StaticDocument {
  return staticDocument("text/html; charset=utf-8", `<!doctype html>\n${pageOf(document).text}\n`, {
    "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash()}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    "referrer-policy": "no-referrer",
  });
}

/** The policy lets this style in by its hash, and nothing else. */
function styleHash(): string {
  return createHash("sha256").update(STYLE.text).digest("base64");
}

function pageOf(document: OpenApiDocument): Html {
  const sections = sectionsOf(document);
  const { title, version, description } = document.info;
  return html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} API</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the operations</a>
<header>
<h1>${title} API</h1>
<p>Version ${version} · <a href="openapi.json">openapi.json</a></p>
</header>
<nav aria-label="Operations">${sections.map(navSection)}
<h2>More</h2>
<ul><li><a href="#errors">Error codes</a></li></ul>
</nav>
<main id="main">
${description.split("\n\n").map((paragraph) => html`<p>${inline(paragraph)}</p>\n`)}
${credentials(document)}
${sections.map(section)}
${errorCodes(document)}
</main>
</body>
</html>`;
}

function navSection({ tag, operations }: Section): Html {
  const items = operations.map(
    ({ id, method, path }) => html`<li><a href="#${id}">${badge(method)} <span>${path}</span></a></li>\n`,
  );
  return html`\n<h2>${tag}</h2>\n<ul>${items}</ul>`;
}

function badge(method: string): Html {
  return html`<span class="method ${method.toLowerCase()}">${method}</span>`;
}

function credentials({ components }: OpenApiDocument): Html {
  const rows = Object.values(components.securitySchemes).map((scheme) => {
    const { name = "Authorization: Bearer", description } = scheme as { name?: string; description: string };
    return html`<tr><th scope="row"><code>${name}</code></th><td>${inline(description)}</td></tr>\n`;
  });
  return html`<section aria-labelledby="credentials">
<h2 id="credentials">Credentials</h2>
<table>
<thead><tr><th scope="col">Header</th><th scope="col">What</th></tr></thead>
<tbody>${rows}</tbody>
</table>
</section>`;
}

function section({ tag, operations }: Section): Html {
  return html`<section aria-labelledby="tag-${tag}">
<h2 id="tag-${tag}">${tag}</h2>
${operations.map(operation)}
</section>\n`;
}

function operation(entry: OperationEntry): Html {
  const { id, method, path, summary, access, parameters, body, answers, errors } = entry;
  return html`<article id="${id}" aria-labelledby="${id}-title">
<h3 id="${id}-title">${badge(method)} <code>${path}</code></h3>
<p>${inline(summary)}</p>
<p class="access">${inline(access)} Operation <code>${id}</code>.</p>
${parameters.length > 0 ? fieldTable("Parameters", parameters) : ""}
${body.map((one) => fieldTable(`Body${one.isRequired ? "" : ", if any"}: ${one.type}`, one.fields))}
${answers.map(({ status, description, bodies }) =>
  bodies.length === 0
    ? html`<h4>Answer ${status}</h4><p>${inline(description)}</p>`
    : bodies.map((one) => fieldTable(`Answer ${status}: ${one.type}`, one.fields)),
)}
<h4>Errors</h4>
<table>
<thead><tr><th scope="col">Status</th><th scope="col">Code</th></tr></thead>
<tbody>${errors.map(
    ({ status, codes, description }) =>
      html`<tr><th scope="row">${status}</th><td>${codes.length > 0 ? codes.map(codeLink) : inline(description)}</td></tr>\n`,
  )}</tbody>
</table>
</article>\n`;
}

function codeLink(code: string): Html {
  return html`<a href="#error-${code}"><code>${code}</code></a> `;
}

function fieldTable(caption: string, fields: readonly (Field & { readonly place?: string })[]): Html {
  const rows = fields.map(
    ({ path, place, type, need, meaning }) =>
      html`<tr><th scope="row">${path === "" ? "the whole" : html`<code>${path}</code>`}${place ? ` in ${place}` : ""}</th><td>${inline(type)}${need === "" ? "" : html`<br><small>${inline(need)}</small>`}</td><td>${inline(meaning)}</td></tr>\n`,
  );
  return html`<h4>${caption}</h4>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rows}</tbody>
</table>`;
}

function errorCodes(document: OpenApiDocument): Html {
  const rows = usedCodes(document).map(
    (code) =>
      html`<tr id="error-${code}"><th scope="row"><code>${code}</code></th><td>${ERROR_STATUS[code]}</td><td>${inline(ERROR_MEANING[code])}</td></tr>\n`,
  );
  return html`<section aria-labelledby="errors">
<h2 id="errors">Error codes</h2>
<table>
<thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Meaning</th></tr></thead>
<tbody>${rows}</tbody>
</table>
</section>`;
}
