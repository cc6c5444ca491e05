import type { UnitContent } from '@flotilla/registry';
import type { PutUnit } from '@flotilla/schema';
import {
  formatUnitFile,
  hashUnitFile,
  largestUnitFile,
  parseRequirements,
  parseUnitFileWithLines,
  readUnitText,
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

/** What a PUT says of a unit's content. */
export type Submission = Pick<PutUnit, 'options' | 'file' | 'allowUnknown'>;

/** A submitted unit file, read; the same under any name. */
interface Submitted {
  readonly content: Omit<UnitContent, 'isGlobal'>;
  readonly unitFile: UnitFile;
  readonly lines: readonly number[] | undefined;
}

export type UnitContentReader = (name: UnitName, submission: Submission) => ReadUnitContent;

/**
 * Checks the unit file in a PUT: always in full, be the unit new or not. A text in `file` is kept as it is, and says the
 * same as `options` if both are given; without it the canonical text of `options` is kept.
 */
export function readUnitContent(
  name: UnitName,
  submission: Submission,
  read: (name: UnitName, submission: Submission) => Submitted = readSubmission,
): ReadUnitContent {
  if (!isVerbatim(submission) && submission.options.length === 0) return { kind: 'none' };
  try {
    const { content, unitFile, lines } = read(name, submission);
    const { isGlobal } = parseRequirements({ name, file: unitFile, lines, allowUnknown: submission.allowUnknown });
    if (content.file.length > largestUnitFile)
      return { kind: 'refused', status: 413, why: `${name}: the unit file is larger than ${largestUnitFile} bytes` };
    return { kind: 'content', content: { ...content, isGlobal } };
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    const why = error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
    return { kind: 'refused', status: 400, why };
  }
}

/** {@link readUnitContent} for many units: a file that several of them have, as instances do, is read once. */
export function createContentReader(): UnitContentReader {
  const known = new Map<string, Submitted>();
  const read = (name: UnitName, submission: Submission) => {
    const id = JSON.stringify([submission.file ?? null, submission.options]);
    const submitted = known.get(id) ?? readSubmission(name, submission);
    known.set(id, submitted);
    return submitted;
  };
  return (name, submission) => readUnitContent(name, submission, read);
}

function readSubmission(source: UnitName, submission: Submission): Submitted {
  const { options, file } = submission;
  const fromOptions = options.length === 0 ? undefined : unitFileFromOptions(options, source);
  const submitted = isVerbatim(submission) ? readUnitText(submission.file, source) : undefined;
  const unitFile = submitted?.file ?? fromOptions ?? { options: [] };
  const hash = submitted?.hash ?? hashUnitFile(unitFile);
  if (fromOptions !== undefined && submitted !== undefined && hashUnitFile(fromOptions) !== hash)
    throw new UnitError('invalid-unit-file', 'file and options say different things', { source });
  const bytes = new TextEncoder().encode(submitted === undefined ? formatUnitFile(unitFile) : file);
  return {
    content: { file: bytes, hash, isVerbatim: submitted !== undefined },
    unitFile,
    lines: submitted?.lines,
  };
}

function isVerbatim(submission: Submission): submission is Submission & { readonly file: string } {
  return submission.file !== undefined && submission.file !== '';
}

/** Of units that share a file, as instances do, a list has the same bytes: they are read once. */
const readFiles = new WeakMap<Uint8Array, UnitFile>();

/** The unit file that is stored; `undefined` if it can't be read, which is a fault in the store. */
export function findStoredFile(bytes: Uint8Array | undefined): UnitFile | undefined {
  if (bytes === undefined) return undefined;
  const known = readFiles.get(bytes);
  if (known !== undefined) return known;
  try {
    const { file } = parseUnitFileWithLines(bytes);
    readFiles.set(bytes, file);
    return file;
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    return undefined;
  }
}
