import { formatUnitFile } from './canonical.js';
import { UnitError } from './errors.js';
import { parseUnitFile } from './unit-file.js';
import type { UnitFile, UnitOption } from './unit-model.js';
import { trim } from './white-space.js';

/**
 * The unit file that a list of options stands for, as it would be read back from its canonical text: blanks around
 * names and values go, CRLF becomes LF, options of a section come together. A missing value is an empty one.
 *
 * @param options Objects with `section`, `name` and `value`, as they came from a client.
 * @throws UnitError `invalid-unit-file` if an option is not one, or would read back as something else (a newline that
 *   is not a continuation, `=` in a name, `]` in a section, too long a line); the message names the option.
 */
export function unitFileFromOptions(options: readonly unknown[], source?: string): UnitFile {
  const file = { options: options.map((option, index) => readBack(checkedOption(option, index, source), source)) };
  return parseUnitFile(formatUnitFile(file), source);
}

function checkedOption(option: unknown, index: number, source: string | undefined): UnitOption {
  if (typeof option !== 'object' || option === null)
    throw new UnitError('invalid-unit-file', `option ${index + 1} is not an object`, { source });
  const { section, name, value = '' } = option as { section?: unknown; name?: unknown; value?: unknown };
  if (typeof section !== 'string' || typeof name !== 'string' || typeof value !== 'string')
    throw new UnitError('invalid-unit-file', `option ${index + 1} needs a section, a name and a value as text`, {
      source,
    });
  return { section, name, value };
}

/** One option as the parser reads it from canonical text. */
function readBack(option: UnitOption, source: string | undefined): UnitOption {
  const { section } = option;
  const name = trim(option.name);
  const value = option.value.replaceAll('\r\n', '\n');
  const [first, ...more] = readable({ section, name, value }, source);
  const isSame =
    first?.section === section &&
    first.name === name &&
    (first.value === trim(value) || first.value === `${trim(value)}\n`);
  if (first === undefined || more.length > 0 || !isSame)
    throw refusal({ section, name, value }, source, 'would read back as something else');
  return first;
}

function readable(option: UnitOption, source: string | undefined): readonly UnitOption[] {
  try {
    return parseUnitFile(formatUnitFile({ options: [option] })).options;
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    throw refusal(option, source, error.problem);
  }
}

/** The error about an option: what is known to go wrong with it, or else `otherwise`. */
function refusal({ section, name, value }: UnitOption, source: string | undefined, otherwise: string): UnitError {
  let problem = otherwise;
  if (/[\]\n]/.test(section)) problem = 'has a section name with a bracket or a newline in it';
  else if (/[=\r\n]|^[[#;]/.test(name)) problem = 'is not an option name';
  else if (/(?<!\\)\n/.test(value)) problem = 'has a newline in its value that is not a continuation';
  return new UnitError('invalid-unit-file', problem, { source, section, option: name });
}
