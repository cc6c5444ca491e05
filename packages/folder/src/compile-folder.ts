import type { UnitName } from '@flotilla/unit';
import { entryKind } from './entry-kind.js';
import { findUnit } from './find-unit.js';
import type { FolderContent, FolderEntry, FolderProblem, FolderUnit } from './folder-model.js';
import { listedOffers } from './listed-offers.js';
import { type Offer, type ReadEntry, readEntry, type SourcedEntry } from './offers.js';
import { safeText, shortened } from './safe-text.js';

/** In characters. A line of a list may be a file long, and a record of a hundred problems has to fit into the store. Taste. */
const longestMessage = 500;

/** How units of a folder are read. */
export interface CompileOptions {
  /** Take options in `[X-Fleet]` that are not known. @default false */
  readonly allowUnknown?: boolean;
}

/**
 * Which units a folder holds, and what is wrong with it. The order of entries plays no part.
 *
 * A unit that is broken, or that two entries have, is not among the units; the others are.
 */
export function compileFolder(entries: readonly FolderEntry[], options: CompileOptions = {}): FolderContent {
  return compileEntries(
    entries.map((entry) => ({ entry, source: entry.name })),
    options,
  );
}

/** {@link compileFolder} of entries from anywhere, with what else is wrong. */
export function compileEntries(
  entries: readonly SourcedEntry[],
  { allowUnknown = false }: CompileOptions = {},
  others: readonly FolderProblem[] = [],
): FolderContent {
  const problems = [...others];
  /** Of which nobody can say what they are meant to have. */
  const brokenSources = new Set<string>();
  const offers = collectOffers(entries, (source, { line, message }) => {
    problems.push({ source, ...(line !== undefined && { line }), message });
    brokenSources.add(source);
  });
  const units = new Map<UnitName, FolderUnit>();
  for (const name of [...offers.keys()].sort()) {
    const found = findUnit(name, offers, { allowUnknown });
    if (found.kind === 'unit') units.set(name, found.unit);
    else problems.push(...found.problems);
  }
  return {
    units,
    problems: problems.map(toSafe).sort(byPlace),
    isDoubtful(name, source) {
      const isBroken = brokenSources.has(source);
      const unit = units.get(name);
      if (unit === undefined) return isBroken || offers.has(name);
      // What a list asks for stands in for what can't be read: it may be there still, and would win.
      return isBroken && unit.source !== source && offers.get(name)?.[0]?.content.kind === 'template';
    },
  };
}

/** Tells what is wrong with a source as a whole. */
type OnBroken = (source: string, problem: { readonly line?: number; readonly message: string }) => void;

/** All that the entries offer, by the name of the unit. What entries have of their own wins over what a list asks for. */
function collectOffers(entries: readonly SourcedEntry[], onBroken: OnBroken): ReadonlyMap<UnitName, readonly Offer[]> {
  const read = entries
    .map((each) => ({ ...each, content: readEntry(each) }))
    .sort((one, other) => compare(one.source, other.source));
  const own: Offer[] = [];
  for (const { source, content } of read) {
    if (content.kind === 'broken') onBroken(source, content);
    if (content.kind !== 'offers') continue;
    own.push(...content.offers);
    for (const problem of content.problems) onBroken(source, problem);
  }
  const offers = byName(own);
  const lists = read.flatMap(({ content }) => (content.kind === 'list' ? [content] : []));
  const hasUnread = read.some(({ entry, content }) => entryKind(entry.name) === 'bundle' && isBroken(content));
  const listed = listedOffers(lists, { offers, hasUnread }, onBroken);
  return new Map([...byName(listed), ...offers]);
}

/** Whether an entry may have more units than can be told. */
function isBroken(content: ReadEntry): boolean {
  return content.kind === 'broken' || (content.kind === 'offers' && content.problems.length > 0);
}

function byName(offers: readonly Offer[]): Map<UnitName, Offer[]> {
  const named = new Map<UnitName, Offer[]>();
  for (const offer of offers) {
    const others = named.get(offer.name);
    if (others === undefined) named.set(offer.name, [offer]);
    else others.push(offer);
  }
  return named;
}

function toSafe({ source, message, ...rest }: FolderProblem): FolderProblem {
  return { source: safeText(source), ...rest, message: shortened(safeText(message), longestMessage) };
}

function byPlace(one: FolderProblem, other: FolderProblem): number {
  return (
    compare(one.source, other.source) || (one.line ?? 0) - (other.line ?? 0) || compare(one.message, other.message)
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
