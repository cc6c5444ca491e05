import { hashUnitFile } from './canonical.js';
import { UnitError } from './errors.js';
import { parseUnitFileWithLines, type UnitFileWithLines } from './unit-file.js';
import type { UnitHash } from './unit-model.js';

/** Of a unit file, in bytes: what etcd takes in a request by default (1.5 MiB), with room for the rest of it. */
export const largestUnitFile = 1024 * 1024;

/** A unit file that says something: the same under any name. */
export interface UnitText extends UnitFileWithLines {
  readonly hash: UnitHash;
}

/**
 * Reads the text that is to be a unit's content. Whether its `[X-Fleet]` makes sense depends on the name: ask
 * `parseRequirements`.
 *
 * @param source What errors call the file.
 * @throws UnitError `invalid-unit-file`, also if there is not one option, or a NUL byte in one.
 */
export function readUnitText(text: string | Uint8Array, source?: string): UnitText {
  const { file, lines } = parseUnitFileWithLines(text, source);
  if (file.options.length === 0) throw new UnitError('invalid-unit-file', 'the unit file has no options', { source });
  for (const [at, { section, name: option, value }] of file.options.entries())
    if (value.includes('\0'))
      throw new UnitError('invalid-unit-file', 'holds a NUL byte, at which systemd ends the line', {
        source,
        line: lines[at],
        section,
        option,
      });
  return { file, lines, hash: hashUnitFile(file) };
}
