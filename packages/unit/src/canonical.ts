import { createHash } from 'node:crypto';
import type { UnitFile, UnitHash } from './unit-model.js';

/** Puts entries of the same section together: sections in order of first appearance, entries in their own order. */
export function groupedBySection<T>(entries: readonly T[], sectionOf: (entry: T) => string): T[] {
  const groups = new Map<string, T[]>();
  for (const entry of entries) {
    const group = groups.get(sectionOf(entry));
    if (group === undefined) groups.set(sectionOf(entry), [entry]);
    else group.push(entry);
  }
  return [...groups.values()].flat();
}

/**
 * The canonical text: each section once, one empty line between sections, no comments, LF line ends. It parses to the
 * file that it was made from. Sections without options, and files without sections, leave nothing.
 */
export function formatUnitFile(file: UnitFile): string {
  const lines: string[] = [];
  let section: string | undefined;
  for (const option of groupedBySection(file.options, (each) => each.section)) {
    if (option.section !== section) {
      if (section !== undefined) lines.push('');
      lines.push(`[${option.section}]`);
      section = option.section;
    }
    // A blank keeps a backslash that ends the value from continuing the line.
    lines.push(`${option.name}=${option.value}${option.value.endsWith('\\') ? ' ' : ''}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** SHA-1 of the canonical text: the same for two files that differ only in comments, blank lines and spacing. */
export function hashUnitFile(file: UnitFile): UnitHash {
  return createHash('sha1').update(formatUnitFile(file)).digest('hex') as UnitHash;
}

/** The first 7 digits of a hash, for tables. */
export function shortHash(hash: UnitHash): string {
  return hash.slice(0, 7);
}
