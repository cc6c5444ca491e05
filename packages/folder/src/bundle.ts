import { parseUnitName, UnitError, type UnitName } from '@flotilla/unit';
import { type ByteLine, byteLines } from './text-lines.js';

/** One unit of a bundle. */
export interface BundleSection {
  readonly name: UnitName;
  /** From the line after its separator to before the next separator, byte for byte. */
  readonly bytes: Uint8Array;
  /** Of the first of those bytes, in the bundle; counted from 1. */
  readonly line: number;
}

/** What is wrong at a line of a file that names units. */
export interface LineProblem {
  readonly line: number;
  readonly message: string;
}

/** A file of several units, taken apart. */
export interface Bundle {
  /** In order of the file; a name may come twice. */
  readonly sections: readonly BundleSection[];
  /** In order of lines. If there are any, nobody can say which units the file is meant to have. */
  readonly problems: readonly LineProblem[];
}

interface Separator extends ByteLine {
  /** `undefined`: what follows belongs to no unit. */
  readonly name: UnitName | undefined;
}

/** Takes a `*.units` file apart at its lines `# ---- name.service`. */
export function splitBundle(bytes: Uint8Array): Bundle {
  const problems: LineProblem[] = [];
  const separators: Separator[] = [];
  for (const line of byteLines(bytes)) {
    const title = titleOf(line);
    if (title !== undefined) separators.push({ ...line, name: readName(title, line, problems) });
    else if (separators.length === 0) checkPrelude(line, problems);
  }
  const sections = separators.flatMap(({ name, number, end }, index): BundleSection[] => {
    if (name === undefined) return [];
    return [{ name, bytes: bytes.subarray(end, separators[index + 1]?.start), line: number + 1 }];
  });
  return { sections, problems };
}

/** What stands in a separator after its dashes; a line of dashes alone is a comment. */
function titleOf({ text }: ByteLine): string | undefined {
  return /^# ----[ \t]+(\S.*)$/s.exec(text)?.[1]?.replace(/[ \t]+$/, '');
}

function readName(title: string, { number }: ByteLine, problems: LineProblem[]): UnitName | undefined {
  try {
    return parseUnitName(title);
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    const message = `"# ----" begins a unit here, and ${JSON.stringify(title)} is not the name of one (${error.problem})`;
    problems.push({ line: number, message });
    return undefined;
  }
}

/** Only the first line in the way is told. */
function checkPrelude({ text, number }: ByteLine, problems: LineProblem[]): void {
  if (problems.length > 0 || /^[ \t]*([#;].*)?$/s.test(text)) return;
  const message = 'only comments may stand before the first unit: begin each unit with a line "# ---- name.service"';
  problems.push({ line: number, message });
}
