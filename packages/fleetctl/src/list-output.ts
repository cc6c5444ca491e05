import { type Command, InvalidArgumentError, Option } from 'commander';
import type { TableCell } from './aligned-table.js';
import { findDurationMs } from './duration.js';
import { UsageError } from './errors.js';
import type { StructuredForm } from './structured.js';
import type { Palette } from './terminal.js';

/** How a list is to be shown, as the flags say it. */
export interface ListFlags {
  readonly fields?: string;
  readonly full?: true;
  /** `false` if `--no-legend` is given. */
  readonly legend: boolean;
  readonly output?: StructuredForm | 'wide' | 'name';
  readonly watch?: true;
  /** In milliseconds. */
  readonly watchInterval?: number;
}

/** One column: what stands in the cell for an item. Never empty, because scripts split rows at blanks. */
export type Cells<Item> = Readonly<Record<string, (item: Item, isFull: boolean) => string>>;

/** What a list consists of. */
export interface ListLayout<Item> {
  readonly cells: Cells<Item>;
  readonly defaultFields: string;
  /** The columns of `--output=wide`. */
  readonly wideFields: string;
  /** The columns that tell one item from all others. */
  readonly keyFields: readonly string[];
  /** Colours of cells, by field; plain if there is none. */
  readonly tones: Readonly<Record<string, (item: Item) => keyof Palette | undefined>>;
  /** What is said when the list can't be read. */
  readonly sayProblem: (message: string) => string;
  /** What `--output=name` prints. */
  readonly nameOf: (item: Item) => string;
  /** What `--output=json` prints. */
  readonly entityOf: (item: Item) => object;
}

/** A list that is wanted. */
export interface Listing<Item> {
  readonly layout: ListLayout<Item>;
  readonly form: StructuredForm | 'table' | 'name';
  /** The columns, for `table`. */
  readonly fields: readonly string[];
  readonly isFull: boolean;
  readonly hasLegend: boolean;
  /** The time between two looks, if it is to be watched. */
  readonly watchMs?: number;
}

const defaultWatchMs = 2000;
/** Taste: a look at a thousand units takes fleetd some ten milliseconds. */
const shortestWatchMs = 100;

/** What `--watch` does, for a list's help. */
const watchHelp = `
--watch redraws the list on a terminal. Elsewhere it prints the list, then each
row that is new or has changed; a row that is gone comes with - in its other
cells and (gone) behind it. With -o json each change is a line,
{"change":"added|changed|removed","object":{...}}, with -o yaml a document,
with -o name each name is printed as it appears. Ctrl-C ends it, with exit
code 130.`;

/** Adds the flags that all lists have. */
export function addListFlags<Item>(command: Command, { cells, defaultFields, wideFields }: ListLayout<Item>): Command {
  const watch = new Option('-w, --watch', 'go on showing it, as it changes: looks every 2s, or as often as it says');
  watch.flags = '-w, --watch[=interval]';
  // What `--watch=2s` becomes; messages name it as it was written.
  const interval = new Option('--watch-interval <duration>').hideHelp().argParser(parseInterval);
  interval.flags = '-w, --watch=<interval>';
  return command
    .option(
      '--fields <fields>',
      `columns, in this order, of ${Object.keys(cells).join(',')} (default: ${defaultFields})`,
    )
    .option('-l, --full', 'do not shorten IDs and hashes')
    .option('--no-legend', 'leave the head line out')
    .addOption(
      new Option('-o, --output <form>', `json and yaml: as the API gives it; wide: ${wideFields}; name: only names`)
        // In the order in which messages name them.
        .choices(['json', 'yaml', 'wide', 'name']),
    )
    .addOption(watch)
    .addOption(interval)
    .addHelpText('after', watchHelp);
}

/** The list that is wanted. @throws UsageError */
export function chooseListing<Item>(flags: ListFlags, layout: ListLayout<Item>): Listing<Item> {
  const { output, legend: hasLegend, watch, watchInterval } = flags;
  const watchMs = watchInterval ?? (watch === true ? defaultWatchMs : undefined);
  return {
    layout,
    form: output === undefined || output === 'wide' ? 'table' : output,
    fields: chooseFields(flags, layout),
    isFull: flags.full === true,
    hasLegend,
    ...(watchMs !== undefined && { watchMs }),
  };
}

function chooseFields<Item>(
  { fields, output }: ListFlags,
  { cells, defaultFields, wideFields }: ListLayout<Item>,
): string[] {
  const known = `Known fields: ${Object.keys(cells).join(',')}`;
  if (fields === undefined) return (output === 'wide' ? wideFields : defaultFields).split(',');
  if (fields === '') throw new UsageError('Must define output format', known);
  const keys = fields.split(',');
  for (const key of keys)
    if (!Object.hasOwn(cells, key)) throw new UsageError(`Invalid key in output format: ${JSON.stringify(key)}`, known);
  if (output === 'wide') throw new UsageError('--fields and -o wide both choose the columns: give one of them');
  if (output !== undefined) throw new UsageError(`--fields chooses columns, and -o ${output} has none`);
  return keys;
}

function parseInterval(text: string): number {
  const ms = findDurationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('It is no duration like 2s or 500ms.');
  if (ms < shortestWatchMs) throw new InvalidArgumentError(`The shortest is ${shortestWatchMs}ms.`);
  return ms;
}

/** The head line's cells. */
export function headOf<Item>({ fields }: Listing<Item>): TableCell[] {
  return fields.map((field) => ({ text: field.toUpperCase() }));
}

/** An item's cells. */
export function rowOf<Item>({ fields, layout, isFull }: Listing<Item>, item: Item, palette: Palette): TableCell[] {
  return fields.map((field) => {
    const tone = layout.tones[field]?.(item);
    const text = cellText(layout.cells[field]?.(item, isFull) ?? '');
    return { text, ...(tone !== undefined && { paint: palette[tone] }) };
  });
}

/** What tells an item from all others. */
export function keyOf<Item>({ keyFields, cells }: ListLayout<Item>, item: Item): string {
  return keyFields.map((field) => cells[field]?.(item, true)).join('\n');
}

/** One line, and nothing that moves a terminal's cursor, whatever a unit's author has put into its description. */
function cellText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim() || '-';
}
