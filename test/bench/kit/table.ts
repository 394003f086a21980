/** One row of a table: what it says and a cell per column. */
export type Row = readonly [what: string, ...cells: string[]];

/** A Markdown table with aligned columns, numbers to the right; rows without any cell filled are left out. */
export function renderTable(head: Row, rows: readonly Row[]): string {
  const filled = rows.filter(([, ...cells]) => cells.some((cell) => cell !== ""));
  const widths = head.map((_, column) => Math.max(...[head, ...filled].map((row) => (row[column] ?? "").length), 3));
  const line = (row: Row) => {
    const cells = head.map((_, column) => pad(row[column] ?? "", widths[column] ?? 0, column));
    return `| ${cells.join(" | ")} |`;
  };
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...filled.map(line)].join("\n");
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}

/** A number with as many decimals as three digits leave, at most two; empty for what was not measured. */
export function figure(value: number | undefined, unit = ""): string {
  if (value === undefined || Number.isNaN(value)) return "";
  const decimals = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${value.toFixed(decimals)}${unit && ` ${unit}`}`;
}
