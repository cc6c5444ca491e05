import { tabStop } from './columns.js';

/** A colour, which takes no room, or a character. */
const piece = /\p{Cc}\[[\d;]*m|./gsu;

/**
 * As much of a line as `columns` of a terminal show, with tabs as blanks. One that is cut ends with `…`, and its colours
 * end there.
 */
export function clipLine(line: string, columns: number): string {
  const cells: string[] = [];
  let width = 0;
  for (const [part] of line.matchAll(piece)) {
    const isColour = part.length > 1 && part.startsWith('\x1b');
    const shown = part === '\t' ? ' '.repeat(tabStop - (width % tabStop)) : part;
    if (isColour) cells.push(part);
    else {
      cells.push(...shown);
      width += [...shown].length;
    }
  }
  if (width <= columns) return cells.join('');
  return cut(cells, columns - 1);
}

function cut(cells: readonly string[], columns: number): string {
  let text = '';
  let left = columns;
  let isColoured = false;
  for (const cell of cells) {
    const isColour = cell.length > 1 && cell.startsWith('\x1b');
    if (!isColour && left-- <= 0) break;
    isColoured ||= isColour;
    text += cell;
  }
  return `${text}…${isColoured ? '\x1b[0m' : ''}`;
}
