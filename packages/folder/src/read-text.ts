import { parseRequirements, readUnitText, UnitError, type UnitName, type UnitText } from '@flotilla/unit';
import { byteLines, isUtf8 } from './text-lines.js';

/** What is wrong with a unit's text; `line` is counted in that text, from 1. */
export interface TextProblem {
  readonly line?: number | undefined;
  readonly message: string;
}

export type ReadText =
  | { readonly kind: 'text'; readonly text: UnitText }
  | { readonly kind: 'refused'; readonly problem: TextProblem };

const readTexts = new WeakMap<Uint8Array, ReadText>();

/** The text of a unit. Each object of bytes is parsed once: a folder of thousands is compiled again for each change. */
export function readText(bytes: Uint8Array): ReadText {
  const known = readTexts.get(bytes);
  if (known !== undefined) return known;
  const read = parse(bytes);
  readTexts.set(bytes, read);
  return read;
}

/** What a unit of this name with this text asks for: whether it is global, or what is wrong. */
export function readGlobal(
  name: UnitName,
  { file, lines }: UnitText,
  { allowUnknown }: { readonly allowUnknown: boolean },
): { readonly isGlobal: boolean } | TextProblem {
  try {
    return { isGlobal: parseRequirements({ name, file, lines, allowUnknown }).isGlobal };
  } catch (error) {
    return toProblem(error);
  }
}

function parse(bytes: Uint8Array): ReadText {
  try {
    // The API's JSON has no room for anything else, be it in a comment.
    if (!isUtf8(bytes)) return { kind: 'refused', problem: notText(bytes) };
    if (isBlank(bytes)) return { kind: 'refused', problem: { message: 'there is nothing in it but white space' } };
    return { kind: 'text', text: readUnitText(bytes) };
  } catch (error) {
    return { kind: 'refused', problem: toProblem(error) };
  }
}

/** Whether a file has nothing to say: it was just made, or lost its content. */
export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0 || byte === 0x20 || (byte >= 0x09 && byte <= 0x0d));
}

function notText(bytes: Uint8Array): TextProblem {
  return { line: byteLines(bytes).find(({ isText }) => !isText)?.number, message: 'is not valid UTF-8' };
}

function toProblem(error: unknown): TextProblem {
  if (!(error instanceof UnitError)) throw error;
  const { code, problem, section, option, line, hint } = error;
  const { message } = new UnitError(code, problem, { section, option });
  return { line, message: hint === undefined ? message : `${message} (${hint})` };
}
