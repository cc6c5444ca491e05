import { type UnitName, unitNameParts } from '@flotilla/unit';
import type { FolderProblem, FolderUnit } from './folder-model.js';
import type { Offer } from './offers.js';
import { readGlobal, readText, type TextProblem } from './read-text.js';

type Offers = ReadonlyMap<UnitName, readonly Offer[]>;

/** A unit of a folder, or why it has none of this name. Instances of a broken template have no problem of their own. */
export type FoundUnit =
  | { readonly kind: 'unit'; readonly unit: FolderUnit }
  | { readonly kind: 'broken'; readonly problems: readonly FolderProblem[] };

interface FindOptions {
  readonly allowUnknown: boolean;
}

/** The unit that the folder offers under this name, checked. */
export function findUnit(name: UnitName, offers: Offers, options: FindOptions): FoundUnit {
  const mine = offers.get(name) ?? [];
  const [offer] = mine;
  if (offer === undefined) return { kind: 'broken', problems: [] };
  if (mine.length > 1) return { kind: 'broken', problems: mine.flatMap((each) => duplicateProblems(each, mine)) };
  const template = findTemplate(offer, offers);
  if (template !== undefined) return fromTemplate(offer, findUnit(template, offers, options), options);
  const { content } = offer;
  if (content.kind === 'bytes') return fromBytes(offer, content.bytes, options);
  const problems = content.kind === 'fault' ? [problemAt(offer, { message: content.fault.message })] : [];
  return { kind: 'broken', problems };
}

function duplicateProblems(offer: Offer, all: readonly Offer[]): FolderProblem[] {
  const others = all.filter((other) => other !== offer).map((other) => `${other.source}:${headOf(other)}`);
  const message = `${offer.name} is also in ${others.join(', ')}: keep one of them`;
  const { content, source } = offer;
  const faults = content.kind === 'fault' ? [{ source, message: content.fault.message }] : [];
  return [{ source, line: headOf(offer), message }, ...faults];
}

/** The line that names it: in a bundle the separator before its bytes. */
function headOf({ content, line }: Offer): number {
  return content.kind === 'bytes' && line > 1 ? line - 1 : line;
}

/** The template whose content the offer has: it says so, or is a link to it or to what is not there. */
function findTemplate({ content, linked }: Offer, offers: Offers): UnitName | undefined {
  if (content.kind === 'template') return content.template;
  const [template] = linked === undefined ? [] : (offers.get(linked) ?? []);
  if (template === undefined) return undefined;
  if (content.kind === 'fault') return content.fault.kind === 'dangling' ? linked : undefined;
  const isSame = template.content.kind === 'bytes' && Buffer.compare(template.content.bytes, content.bytes) === 0;
  return isSame ? linked : undefined;
}

function fromTemplate(offer: Offer, found: FoundUnit, { allowUnknown }: FindOptions): FoundUnit {
  if (found.kind === 'broken') return { kind: 'broken', problems: [] };
  const template = found.unit;
  const { unitFile: file, lines, hash } = template;
  const read = readGlobal(offer.name, { file, lines, hash }, { allowUnknown });
  if ('isGlobal' in read)
    return { kind: 'unit', unit: { ...template, ...read, name: offer.name, isTemplate: false, ...placed(offer) } };
  const line = read.line === undefined ? '' : `:${template.line - 1 + read.line}`;
  const message = `${offer.name} can't be made of ${template.source}${line}: ${read.message}`;
  return { kind: 'broken', problems: [problemAt(offer, { message })] };
}

function fromBytes(offer: Offer, bytes: Uint8Array, { allowUnknown }: FindOptions): FoundUnit {
  const { name } = offer;
  const read = readText(bytes);
  if (read.kind === 'refused') return { kind: 'broken', problems: [problemAt(offer, read.problem)] };
  const { file, lines, hash } = read.text;
  const asked = readGlobal(name, read.text, { allowUnknown });
  if (!('isGlobal' in asked)) return { kind: 'broken', problems: [problemAt(offer, asked)] };
  const { isTemplate } = unitNameParts(name);
  return { kind: 'unit', unit: { name, bytes, unitFile: file, lines, hash, ...asked, isTemplate, ...placed(offer) } };
}

function placed({ source, line }: Offer): Pick<FolderUnit, 'source' | 'line'> {
  return { source, line };
}

/** A problem of an offer: at its line, or else where the offer is named, unless that is an entry's own name. */
function problemAt(offer: Offer, { line, message }: TextProblem): FolderProblem {
  const { source, content, line: start } = offer;
  if (line !== undefined) return { source, line: start - 1 + line, message };
  return start > 1 || content.kind === 'template' ? { source, line: headOf(offer), message } : { source, message };
}
