/** `describe`, `it` and their forms, where biome puts them: first in a line, indented by how deep they stand. */
const CALL = /^( *)(describe|it)((?:\.\w+)*)(?=[(<])/;
/** The first argument, if it is a text as it is written. */
const TITLE = /\(\s*(["'`])((?:\\.|(?!\1).)*)\1/s;
/** The same behind a table of cases, whose end is followed by the call that has the title. */
const TITLE_OF_CASES = /\)\(\s*(["'`])((?:\\.|(?!\1).)*)\1/s;
/** A test in one of these forms may not run, or says nothing when it does. */
const OFF = /\.(skip|todo|skipIf|runIf|fails|only)\b/;

/**
 * The tests of a source file formatted by biome, each as `describe > it` with as many `describe` as it stands in, and titles of
 * tables as they are written. Tests that are switched off are none.
 */
export function titlesIn(source: string): string[] {
  const lines = source.split("\n");
  const around: { indent: number; title: string; isOff: boolean }[] = [];
  const titles: string[] = [];
  for (const [at, line] of lines.entries()) {
    const [, { length: indent } = "", kind, forms = ""] = CALL.exec(line) ?? [];
    if (kind === undefined) continue;
    while ((around.at(-1)?.indent ?? -1) >= indent) around.pop();
    const text = statementAt(lines, at, indent);
    const title = (forms.includes(".each") ? TITLE_OF_CASES : TITLE).exec(text)?.[2]?.replaceAll(/\\(["'`\\])/g, "$1");
    if (title === undefined) continue;
    const isOff = OFF.test(forms) || (around.at(-1)?.isOff ?? false);
    if (kind === "describe") around.push({ indent, title, isOff });
    else if (!isOff) titles.push([...around.map((one) => one.title), title].join(" > "));
  }
  return titles;
}

/** The lines up to the next one that begins as deep with something new. */
function statementAt(lines: readonly string[], at: number, indent: number): string {
  const next = lines.findIndex((line, index) => index > at && line.search(/\S/) === indent && /^ *\w/.test(line));
  return lines.slice(at, next < 0 ? undefined : next).join("\n");
}
