/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: text is escaped, HTML and lists of it go in as they are. */
type Part = Html | string | number | readonly Part[];

/** HTML from a template, with every text in it escaped. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const text = strings.map((string, index) => string + (index < parts.length ? render(parts[index] ?? "") : ""));
  return new Html(text.join(""));
}

/** A text whose `words` in backquotes become code; nothing else of Markdown is understood. */
export function inline(text: string): Html[] {
  return text.split("`").map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : html`${piece}`));
}

function render(part: Part): string {
  if (part instanceof Html) return part.text;
  if (typeof part === "string") return escapeText(part);
  return typeof part === "number" ? String(part) : part.map(render).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char);
}
