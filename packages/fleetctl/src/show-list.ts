import { Columns } from './columns.js';
import type { Context } from './context.js';
import { retrieve } from './errors.js';
import { exitCodes } from './exit-codes.js';
import { headOf, type Listing, rowOf } from './list-output.js';
import { formatStructured } from './structured.js';
import type { Palette } from './terminal.js';

/** Something to be said below a list. */
export interface Note {
  readonly tone: keyof Palette;
  readonly text: string;
}

/** What a list shows at one moment. */
export interface List<Item> {
  readonly items: readonly Item[];
  /** What JSON and YAML show, if that is more than the items. It holds what the notes say. */
  readonly document?: object;
  /** Lines on stdout, below the table. */
  readonly details?: readonly string[];
  /** On stderr, below the other forms. */
  readonly notes?: readonly Note[];
}

/**
 * Shows a list, once or for as long as it is watched.
 *
 * @param read Reads what it shows.
 * @returns The exit code.
 */
export async function showList<Item>(
  context: Context,
  listing: Listing<Item>,
  read: () => Promise<List<Item>>,
): Promise<number> {
  const list = await retrieve(listing.layout.sayProblem, read);
  if (listing.watchMs !== undefined) {
    const { watchList } = await import('./watch-list.js');
    return watchList(context, { listing, list, read, watchMs: listing.watchMs });
  }
  const { screen } = context;
  screen.write(await formatList(listing, list, screen.outPalette));
  if (listing.form === 'json' || listing.form === 'yaml') return exitCodes.done;
  for (const { tone, text } of list.notes ?? []) screen.err(screen.palette[tone](text));
  return exitCodes.done;
}

async function formatList<Item>(listing: Listing<Item>, list: List<Item>, palette: Palette): Promise<string> {
  const { form, layout } = listing;
  switch (form) {
    case 'json':
    case 'yaml':
      return formatStructured(list.document ?? list.items.map(layout.entityOf), form);
    case 'name':
      return [...new Set(list.items.map(layout.nameOf))].map((name) => `${name}\n`).join('');
    case 'table': {
      const rows = list.items.map((item) => rowOf(listing, item, palette));
      const lines = new Columns().lines(listing.hasLegend ? [headOf(listing), ...rows] : rows);
      return [...lines, ...(list.details ?? [])].map((line) => `${line}\n`).join('');
    }
  }
}
