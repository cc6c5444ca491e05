import { createHash } from 'node:crypto';
import type { FolderUnit } from '@flotilla/folder';
import type { UnitEntity } from '@flotilla/schema';
import { hashUnitFile, parseUnitFileWithLines, parseUnitName, unitNameParts } from '@flotilla/unit';
import { toOptionEntities } from '../unit-content.js';

/** A file as a folder gives it. */
export function applyFile(
  name: string,
  text: string,
  place: { readonly source?: string; readonly line?: number } = {},
) {
  const bytes = Buffer.from(text);
  const { file: unitFile, lines } = parseUnitFileWithLines(bytes, name);
  const file: FolderUnit = {
    name: parseUnitName(name),
    bytes,
    unitFile,
    lines,
    hash: hashUnitFile(unitFile),
    isGlobal: text.includes('Global=true'),
    isTemplate: unitNameParts(parseUnitName(name)).isTemplate,
    source: `units/${name}`,
    line: 1,
    ...place,
  };
  return file;
}

/** The same unit as a list of the API has it: without its text. */
export function listedUnit(name: string, text: string, more: Partial<UnitEntity> = {}): UnitEntity {
  const { file } = parseUnitFileWithLines(text, name);
  const fileHash = createHash('sha256').update(text).digest('hex');
  const options = toOptionEntities(file);
  return { currentState: 'launched', desiredState: 'launched', fileHash, name, options, ...more };
}
