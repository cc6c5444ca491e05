import { clipLine } from './clip-line.js';
import type { TerminalSize } from './terminal.js';

/** What a watched list shows on a terminal. */
export interface Frame {
  /** The head line, if there is one. */
  readonly head: readonly string[];
  readonly rows: readonly string[];
  /** Below the rows. */
  readonly notes: readonly string[];
}

/** The lines of a frame that a terminal of this size shows: the head, as many rows as fit, how many do not, the notes. */
export function frameLines({ head, rows, notes }: Frame, size: TerminalSize): string[] {
  // The list comes first: notes have what it leaves, but a third of the screen in any case.
  const noteRoom = Math.max(Math.floor(size.rows / 3), size.rows - head.length - rows.length);
  const shownNotes = notes.slice(0, noteRoom);
  const room = Math.max(1, size.rows - head.length - shownNotes.length);
  const fits = rows.length <= room;
  const shown = fits ? rows : [...rows.slice(0, room - 1), `... and ${rows.length - room + 1} more`];
  // A line that fills the last column makes some terminals go on in the next one.
  return [...head, ...shown, ...shownNotes].slice(0, size.rows).map((line) => clipLine(line, size.columns - 1));
}
