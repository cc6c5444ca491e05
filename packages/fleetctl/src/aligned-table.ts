import type { Paint } from './terminal.js';

/** A cell: its text, and how it is shown. */
export interface TableCell {
  readonly text: string;
  readonly paint?: Paint;
}

/** Reasons are sentences: longer ones go on in the cell's next line. Taste: four columns of them fit a wide terminal. */
const widestCell = 34;
const gap = '  ';

/**
 * Rows as aligned columns, wide cells wrapped at blanks. For people: lists that scripts read are made by `Columns`.
 */
export function formatTable(rows: readonly (readonly TableCell[])[]): string {
  const wrapped = rows.map((row) => row.map(({ text, paint }) => ({ lines: wrap(text), paint })));
  const widths: number[] = [];
  for (const row of wrapped)
    for (const [index, { lines }] of row.entries())
      widths[index] = Math.max(widths[index] ?? 0, ...lines.map((line) => line.length));
  return wrapped
    .flatMap((row) => {
      const height = Math.max(...row.map(({ lines }) => lines.length));
      return Array.from({ length: height }, (_, at) => {
        const cells = row.map(({ lines, paint }, index) => {
          const text = lines[at] ?? '';
          const padding = ' '.repeat((widths[index] ?? 0) - text.length);
          return (paint === undefined || text === '' ? text : paint(text)) + padding;
        });
        return `${cells.join(gap).trimEnd()}\n`;
      });
    })
    .join('');
}

/** Lines of a text: its own, and those that are too long broken at blanks, where there are any. */
function wrap(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let current = '';
    for (const word of line.split(' ')) {
      if (current !== '' && current.length + 1 + word.length > widestCell) {
        lines.push(current);
        current = word;
      } else current = current === '' ? word : `${current} ${word}`;
    }
    return [...lines, current];
  });
}
