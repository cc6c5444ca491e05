import { type Command, Option } from 'commander';
import { formatColumns } from './columns.js';
import { UsageError } from './errors.js';

/** How a list is to be shown, as the flags say it. */
export interface ListFlags {
  readonly fields?: string;
  readonly full?: true;
  readonly l?: true;
  /** `false` if `--no-legend` is given. */
  readonly legend: boolean;
  readonly output?: 'json' | 'name';
}

/** One column: what stands in the cell for an item. Never empty, because scripts split rows at blanks. */
export type Cells<Item> = Readonly<Record<string, (item: Item, isFull: boolean) => string>>;

/** What a list consists of. */
export interface ListLayout<Item> {
  readonly cells: Cells<Item>;
  readonly defaultFields: string;
  /** What `--output=name` prints. */
  readonly nameOf: (item: Item) => string;
  /** What `--output=json` prints. */
  readonly entityOf: (item: Item) => object;
}

/** Adds the flags that all lists have. */
export function addListFlags<Item>(command: Command, { cells, defaultFields }: ListLayout<Item>): Command {
  return command
    .option(
      '--fields <fields>',
      `columns, in this order, of ${Object.keys(cells).join(',')} (default: ${defaultFields})`,
    )
    .option('-l, --full', 'do not shorten IDs and hashes')
    .addOption(new Option('--l').hideHelp())
    .option('--no-legend', 'leave the head line out')
    .addOption(
      new Option('-o, --output <form>', 'print JSON as the API gives it, or only names').choices(['json', 'name']),
    );
}

/** The columns that are wanted. @throws UsageError */
export function parseFields<Item>({ fields }: ListFlags, { cells, defaultFields }: ListLayout<Item>): string[] {
  const keys = (fields ?? defaultFields).split(',');
  if (fields === '') throw new UsageError('Must define output format', known(cells));
  for (const key of keys)
    if (!Object.hasOwn(cells, key))
      throw new UsageError(`Invalid key in output format: ${JSON.stringify(key)}`, known(cells));
  return keys;
}

function known(cells: object): string {
  return `Known fields: ${Object.keys(cells).join(',')}`;
}

/** A list as the flags want it. */
export function formatList<Item>(items: readonly Item[], flags: ListFlags, layout: ListLayout<Item>): string {
  const keys = parseFields(flags, layout);
  if (flags.output === 'json') return `${JSON.stringify(items.map(layout.entityOf), null, 2)}\n`;
  if (flags.output === 'name') return items.map((item) => `${layout.nameOf(item)}\n`).join('');
  const isFull = flags.full === true || flags.l === true;
  const rows = items.map((item) => keys.map((key) => layout.cells[key]?.(item, isFull) ?? '-'));
  return formatColumns(flags.legend ? [keys.map((key) => key.toUpperCase()), ...rows] : rows);
}
