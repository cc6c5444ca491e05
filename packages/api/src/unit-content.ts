import type { UnitContent } from '@flotilla/registry';
import type { PutUnit } from '@flotilla/schema';
import {
  formatUnitFile,
  hashUnitFile,
  parseRequirements,
  parseUnitFileWithLines,
  UnitError,
  type UnitFile,
  type UnitName,
  unitFileFromOptions,
} from '@flotilla/unit';

/** What a PUT says of a unit's content. `none`: nothing, the unit keeps what it has. */
export type ReadUnitContent =
  | { readonly kind: 'content'; readonly content: UnitContent }
  | { readonly kind: 'none' }
  /** `why` is a sentence for the client. */
  | { readonly kind: 'refused'; readonly status: 400 | 413; readonly why: string };

/** Of a unit file, in bytes: what etcd takes in a request by default (1.5 MiB), with room for the rest of it. */
export const largestFile = 1024 * 1024;

/**
 * Checks the unit file in a PUT: always in full, be the unit new or not. A text in `file` is kept as it is, and says the
 * same as `options` if both are given; without it the canonical text of `options` is kept.
 */
export function readUnitContent(name: UnitName, { options, file }: Pick<PutUnit, 'options' | 'file'>): ReadUnitContent {
  const isVerbatim = file !== undefined && file !== '';
  if (!isVerbatim && options.length === 0) return { kind: 'none' };
  try {
    const fromOptions = options.length === 0 ? undefined : unitFileFromOptions(options, name);
    const submitted = isVerbatim ? parseUnitFileWithLines(file, name) : undefined;
    const unitFile = submitted?.file ?? fromOptions ?? { options: [] };
    if (unitFile.options.length === 0) return refused(`${name}: the unit file has no options`);
    const hash = hashUnitFile(unitFile);
    if (fromOptions !== undefined && hashUnitFile(fromOptions) !== hash)
      return refused(`${name}: file and options say different things`);
    const { isGlobal } = parseRequirements({ name, file: unitFile, lines: submitted?.lines });
    const bytes = new TextEncoder().encode(isVerbatim ? file : formatUnitFile(unitFile));
    if (bytes.length > largestFile)
      return { kind: 'refused', status: 413, why: `${name}: the unit file is larger than ${largestFile} bytes` };
    return { kind: 'content', content: { file: bytes, hash, isGlobal, isVerbatim } };
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    return refused(error.hint === undefined ? error.message : `${error.message} (${error.hint})`);
  }
}

/** The unit file that is stored; `undefined` if it can't be read, which is a fault in the store. */
export function findStoredFile(bytes: Uint8Array | undefined): UnitFile | undefined {
  if (bytes === undefined) return undefined;
  try {
    return parseUnitFileWithLines(bytes).file;
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    return undefined;
  }
}

function refused(why: string): ReadUnitContent {
  return { kind: 'refused', status: 400, why };
}
