/** Rows as a table for people: columns as wide as they need to be, numbers to the right. */
export function columns(rows: readonly Readonly<Record<string, unknown>>[], names: readonly string[]): string {
  const cells = rows.map((row) => names.map((name) => textOf(row[name])));
  const widths = names.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const numeric = names.map(
    (name) => rows.length > 0 && rows.every((row) => typeof row[name] === 'number' || row[name] === null),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (numeric[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(names.map((name) => name.toUpperCase())), ...cells.map(line)].join('\n');
}

function textOf(value: unknown): string {
  if (value === null || value === undefined || (Array.isArray(value) && value.length === 0)) return '-';
  if (Array.isArray(value)) return value.every((item) => typeof item === 'number') ? value.join('-') : value.join(', ');
  return String(value);
}
