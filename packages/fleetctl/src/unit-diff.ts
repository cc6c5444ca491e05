import type { StructuredPatch } from 'diff';

/** Two versions of a unit file, and what they are called. */
export interface UnitVersions {
  readonly name: string;
  /** The text that the cluster has. */
  readonly stored: string;
  /** The text that it is to have, and where that comes from. */
  readonly text: string;
  readonly source: string;
}

/** Lines around a change, as diff -u has them. */
const contextLines = 3;
/** Beyond so many lines that differ, a file counts as another one: the time grows with their square. Measured: 0.25 s. */
const mostEdits = 1000;
const fileHeaders = { includeIndex: false, includeUnderline: false, includeFileHeaders: true };

/** A function that says how two versions differ: a unified diff that makes the second of the first. The library is loaded here. */
export async function loadUnitDiff(): Promise<(versions: UnitVersions) => string> {
  const { formatPatch, structuredPatch } = await import('diff');
  return ({ name, stored, text, source }) => {
    const [oldName, newName] = [`a/${name}`, `b/${source.replace(/^(\.?\/+)+/, '')}`];
    const patch = structuredPatch(oldName, newName, stored, text, storedHeader, undefined, {
      context: contextLines,
      maxEditLength: mostEdits,
    });
    return formatPatch(patch ?? wholePatch(stored, text, [oldName, newName]), fileHeaders);
  };
}

/** A file's text, with all that it begins with. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** Behind a tab, as a date would be: not a part of the name. */
const storedHeader = '(cluster)';

function wholePatch(stored: string, text: string, [oldFileName, newFileName]: [string, string]): StructuredPatch {
  const [oldLines, newLines] = [linesOf(stored), linesOf(text)];
  const hunk = {
    oldStart: 1,
    oldLines: oldLines.length,
    newStart: 1,
    newLines: newLines.length,
    lines: [...marked('-', oldLines), ...marked('+', newLines)],
  };
  return { oldFileName, newFileName, oldHeader: storedHeader, newHeader: undefined, hunks: [hunk] };
}

/** With their ends. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function marked(mark: '-' | '+', lines: readonly string[]): string[] {
  return lines.flatMap((line) =>
    line.endsWith('\n') ? [mark + line.slice(0, -1)] : [mark + line, '\\ No newline at end of file'],
  );
}
