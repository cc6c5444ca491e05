import type { TableCell } from './aligned-table.js';

/** A terminal's tab stops. */
export const tabStop = 8;

/**
 * Rows as aligned columns: every cell but a row's last is followed by at least one tab, up to the column's tab stop.
 * The longest cell of a column and one character more decide where the next column starts.
 */
export class Columns {
  readonly #widths: number[] = [];

  /** The rows as lines. Columns only grow: rows that come later stand under the earlier ones, if they are no longer. */
  lines(rows: readonly (readonly TableCell[])[]): string[] {
    for (const row of rows)
      for (const [index, { text }] of row.entries())
        this.#widths[index] = Math.max(this.#widths[index] ?? 0, lengthOf(text));
    return rows.map((row) => row.map((cell, index) => this.#cell(cell, index, row.length - 1)).join(''));
  }

  #cell({ text, paint = (plain) => plain }: TableCell, index: number, last: number): string {
    return index === last ? paint(text) : paint(text) + tabs(text, this.#widths[index] ?? 0);
  }
}

function tabs(cell: string, longest: number): string {
  const width = Math.ceil((longest + 1) / tabStop) * tabStop;
  return '\t'.repeat(Math.ceil((width - lengthOf(cell)) / tabStop));
}

function lengthOf(cell: string): number {
  return [...cell].length;
}
