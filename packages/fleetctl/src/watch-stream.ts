import type { TableCell } from './aligned-table.js';
import { Columns } from './columns.js';
import { headOf, keyOf, type Listing, rowOf } from './list-output.js';
import type { List } from './show-list.js';
import { formatStructured } from './structured.js';
import type { Screen } from './terminal.js';
import { changesBetween, type ListChange, type WatchedRow } from './watch-changes.js';
import type { WatchedView } from './watch-list.js';

interface Row<Item> extends WatchedRow {
  readonly item: Item;
  readonly cells: readonly TableCell[];
}

/** A watched list for files, programs and pipes: the list, then what changes, in lines that stay. */
export class WatchStream<Item> implements WatchedView<Item> {
  readonly #screen: Screen;
  readonly #listing: Listing<Item>;
  readonly #columns = new Columns();
  #rows: ReadonlyMap<string, Row<Item>> | undefined;
  #notes: ReadonlySet<string> = new Set();
  #isAway = false;

  constructor(screen: Screen, listing: Listing<Item>) {
    this.#screen = screen;
    this.#listing = listing;
  }

  async show({ items, notes = [] }: List<Item>): Promise<void> {
    const { form } = this.#listing;
    const before = this.#rows ?? new Map<string, Row<Item>>();
    const rows = new Map(items.map((item) => [keyOf(this.#listing.layout, item), this.#row(item)]));
    const changes = changesBetween(before, rows);
    if (form === 'table') this.#writeRows(changes, this.#rows === undefined);
    else if (form === 'name') this.#writeNames(before, rows);
    else for (const change of changes) this.#screen.write(await this.#entry(change, form));
    this.#rows = rows;
    for (const { tone, text } of notes) if (!this.#notes.has(text)) this.#screen.err(this.#screen.palette[tone](text));
    this.#notes = new Set(notes.map(({ text }) => text));
    if (this.#isAway) this.#screen.err('The list is up to date again.');
    this.#isAway = false;
  }

  showProblem(problem: string): void {
    if (!this.#isAway) this.#screen.err(this.#screen.palette.bad(`Error: ${problem}; it is tried again`));
    this.#isAway = true;
  }

  close(): void {}

  #row(item: Item): Row<Item> {
    const { form, layout } = this.#listing;
    if (form !== 'table') return { item, cells: [], text: JSON.stringify(layout.entityOf(item)) };
    const cells = rowOf(this.#listing, item, this.#screen.outPalette);
    return { item, cells, text: cells.map(({ text }) => text).join('\t') };
  }

  #writeRows(changes: readonly ListChange<Row<Item>>[], isFirst: boolean): void {
    const rows = changes.map(({ change, row: { cells } }) => (change === 'removed' ? this.#goneCells(cells) : cells));
    const head = isFirst && this.#listing.hasLegend ? [headOf(this.#listing)] : [];
    const lines = this.#columns.lines([...head, ...rows]);
    if (lines.length > 0) this.#screen.write(lines.map((line) => `${line}\n`).join(''));
  }

  #goneCells(cells: readonly TableCell[]): TableCell[] {
    const { fields, layout } = this.#listing;
    const kept = cells.map((cell, index) => (layout.keyFields.includes(fields[index] ?? '') ? cell : { text: '-' }));
    return [...kept, { text: '(gone)' }];
  }

  /** A name that several rows have appears with the first of them. */
  #writeNames(before: ReadonlyMap<string, Row<Item>>, now: ReadonlyMap<string, Row<Item>>): void {
    const { nameOf } = this.#listing.layout;
    const old = new Set([...before.values()].map(({ item }) => nameOf(item)));
    for (const name of new Set([...now.values()].map(({ item }) => nameOf(item))))
      if (!old.has(name)) this.#screen.out(name);
  }

  async #entry({ change, row }: ListChange<Row<Item>>, form: 'json' | 'yaml'): Promise<string> {
    const entry = { change, object: this.#listing.layout.entityOf(row.item) };
    return form === 'json' ? `${JSON.stringify(entry)}\n` : `---\n${await formatStructured(entry, form)}`;
  }
}
