import { isUnitName, type UnitName, unitNameParts } from '@flotilla/unit';
import { type Bundle, splitBundle } from './bundle.js';
import { entryKind, misnameProblem } from './entry-kind.js';
import type { FolderEntry, FolderFault } from './folder-model.js';
import { isBlank } from './read-text.js';

/** An entry and what problems call it. */
export interface SourcedEntry {
  readonly entry: FolderEntry;
  readonly source: string;
}

/** A place in the folder that says that there is such a unit. */
export interface Offer {
  readonly name: UnitName;
  readonly source: string;
  /** Where its bytes begin in the source, or the line that lists it. */
  readonly line: number;
  readonly content:
    | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
    | { readonly kind: 'fault'; readonly fault: FolderFault }
    /** It has the content of this unit, which the folder offers. */
    | { readonly kind: 'template'; readonly template: UnitName };
  /** It is a link to something of this name: an instance of the folder's template, if there is nothing else. */
  readonly linked?: UnitName | undefined;
}

/** What can be said of an entry by itself. */
export type ReadEntry =
  | { readonly kind: 'offers'; readonly offers: readonly Offer[]; readonly problems: Bundle['problems'] }
  | { readonly kind: 'list'; readonly source: string; readonly prefix: string; readonly bytes: Uint8Array }
  /** Nobody can say which units it is meant to have. */
  | { readonly kind: 'broken'; readonly message: string }
  | { readonly kind: 'nothing' };

const blank = 'there is nothing in it but white space: remove it, or leave a comment if it is meant to be so';

const bundles = new WeakMap<Uint8Array, Bundle>();

/** Reads one entry. */
export function readEntry({ entry, source }: SourcedEntry): ReadEntry {
  const { name, content } = entry;
  const kind = entryKind(name);
  if (kind === undefined) return { kind: 'nothing' };
  if (kind === 'misnamed') return { kind: 'broken', message: misnameProblem(name) };
  if (isUnitName(name)) return { kind: 'offers', offers: [readUnit(name, { entry, source })], problems: [] };
  if (!(content instanceof Uint8Array)) return { kind: 'broken', message: content.message };
  if (kind === 'drop-in') return { kind: 'nothing' };
  if (isBlank(content)) return { kind: 'broken', message: blank };
  if (kind === 'instances') return { kind: 'list', source, prefix: name.slice(0, name.indexOf('@')), bytes: content };
  const { sections, problems } = split(content);
  return { kind: 'offers', problems, offers: sections.map((section) => toOffer(section, source)) };
}

function split(bytes: Uint8Array): Bundle {
  const known = bundles.get(bytes) ?? splitBundle(bytes);
  bundles.set(bytes, known);
  return known;
}

function toOffer({ name, bytes, line }: Bundle['sections'][number], source: string): Offer {
  return { name, source, line, content: { kind: 'bytes', bytes } };
}

function readUnit(name: UnitName, { entry: { content, target }, source }: SourcedEntry): Offer {
  const offer = { name, source, line: 1, linked: target === undefined ? undefined : linkedTemplate(name, target) };
  if (content instanceof Uint8Array) return { ...offer, content: { kind: 'bytes', bytes: content } };
  return { ...offer, content: { kind: 'fault', fault: content } };
}

/** The template that a link of an instance names. */
function linkedTemplate(name: UnitName, target: string): UnitName | undefined {
  const linked = target.slice(target.lastIndexOf('/') + 1);
  if (!unitNameParts(name).isInstance || !isUnitName(linked)) return undefined;
  return unitNameParts(linked).isTemplate ? linked : undefined;
}
