/** A terminal's tab stops. */
const tabStop = 8;

/**
 * Rows as aligned columns: every cell but a row's last is followed by at least one tab, up to the column's tab stop.
 * The longest cell of a column and one character more decide where the next column starts.
 */
export function formatColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, lengthOf(cell));
  const line = (row: readonly string[]) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell + tabs(cell, widths[index] ?? 0))).join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}

function tabs(cell: string, longest: number): string {
  const width = Math.ceil((longest + 1) / tabStop) * tabStop;
  return '\t'.repeat(Math.ceil((width - lengthOf(cell)) / tabStop));
}

function lengthOf(cell: string): number {
  return [...cell].length;
}
