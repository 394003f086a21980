import { CALLING } from "./calling.ts";
import type { Failure } from "./failure.ts";
import { INSTALLING } from "./installing.ts";
import { RUNNING } from "./running.ts";
import { TALKING } from "./talking.ts";

/** The ways in which the original system failed, by number. */
export const FAILURES: readonly Failure[] = [...RUNNING, ...CALLING, ...TALKING, ...INSTALLING].sort(
  (one, other) => one.number - other.number,
);

const HEAD = `# What failed in the original system

Each way in which the system that Hatchery follows failed, why it cannot fail so here, and the tests that would fail if it could. Where a part is yet to
come, or is gone, it says so. Made from \`test/original\`; after a change there: \`npx vitest run --project unit test/original -u\`.
`;

/** The page for people. */
export function failuresPage(failures = FAILURES): string {
  return [HEAD, ...failures.map(section)].join("\n");
}

function section({ number, broke, cure, shownBy, later, gone }: Failure): string {
  const notes = [later && `\nYet to come: ${later}\n`, gone && `\nGone: ${gone}\n`].filter(
    (note) => note !== undefined,
  );
  const tests = Object.entries(shownBy).flatMap(([path, titles]) =>
    titles.map((title) => `- [${path}](../${path}): ${title}\n`),
  );
  return [`## ${number}. ${broke}\n${cure}\n`, ...notes, `\n${tests.join("")}`].map(inText).join("");
}

/** Titles may hold what Markdown takes for a tag. */
function inText(text: string): string {
  return text.replaceAll("<", "&lt;");
}
