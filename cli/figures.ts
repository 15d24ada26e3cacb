/** Numbers, sizes and tables for people. Pure. */

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/** A count with its thousands apart: `1,234,567`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** A size: `812 B`, `4.2 MiB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = "B";
  for (const larger of UNITS) {
    if (value < 1024) break;
    value /= 1024;
    unit = larger;
  }
  return `${unit === "B" ? String(Math.round(value)) : value.toFixed(1)} ${unit}`;
}

/** An instant to the second: `2026-05-01T14:00:00Z`. */
export function formatInstant(millis: number): string {
  return new Date(millis).toISOString().replace(/\.\d+Z$/, "Z");
}

/** Columns of one width each, numbers (a column that `right` names) at its right side; ends in a line feed. */
export function formatTable(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string {
  const widths = rows.reduce<number[]>((known, row) => {
    for (const [column, cell] of row.entries()) known[column] = Math.max(known[column] ?? 0, cell.length);
    return known;
  }, []);
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        right.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}
