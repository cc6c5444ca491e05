import { FleetError } from '@flotilla/errors';
import {
  type IgnoredOption,
  ignoredOptions,
  parseRequirements,
  parseUnitName,
  UnitError,
  type UnitName,
} from '@flotilla/unit';
import type { LocalContent, LocalUnitFiles, UnitContent } from './unit-content.js';

/** Something that `fleetctl verify` has to say of a unit file. */
export interface Problem {
  /** `error`: the cluster would refuse the unit, or systemd would; `warning`: it may not do what its author means. */
  readonly severity: 'error' | 'warning';
  readonly checker: 'fleetctl' | 'systemd';
  /** Counted from 1. */
  readonly line?: number;
  readonly section?: string;
  readonly option?: string;
  /** A sentence that names file, line, section and option, as far as they are known. */
  readonly message: string;
}

/** A unit file, and what is wrong with it. */
export interface CheckedFile {
  readonly path: string;
  /** What systemd is to look at: missing if the name is none, or the file can't be read. */
  readonly unit?: { readonly name: UnitName; readonly content: LocalContent };
  readonly problems: readonly Problem[];
}

/** More are not looked for in one file. Taste: nobody reads on. */
const mostProblems = 100;

/** Checks a unit file as the cluster would, without asking it: name, text and `[X-Fleet]`. An instance may be its template's. */
export async function checkUnitFile(
  path: string,
  files: LocalUnitFiles,
  { allowUnknown = false } = {},
): Promise<CheckedFile> {
  try {
    const name = parseUnitName(path.slice(path.lastIndexOf('/') + 1));
    const content = await files.find(name, path);
    if (content === undefined) throw new FleetError('unreadable-file', 'there is no such file');
    const { source, file } = content;
    if (file.options.length === 0) throw new UnitError('invalid-unit-file', 'the file has no options', { source });
    const problems = [
      ...findRequirementProblems(name, content, allowUnknown),
      ...findIgnored(content, { allowUnknown }),
    ].sort(byLine);
    return { path, unit: { name, content }, problems };
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    return { path, problems: [toProblem(error, path)] };
  }
}

/** A warning for each option or section that is read over, and looks like one that is not. */
export function findIgnored(
  content: Pick<UnitContent, 'file' | 'lines' | 'source'>,
  { allowUnknown = false } = {},
): readonly Problem[] {
  return ignoredOptions({ ...content, allowUnknown }).map((option) => toWarning(option, content.source));
}

/** What `[X-Fleet]` has wrong, all of it: an option that is refused is left out, and the others are looked at again. */
function findRequirementProblems(
  name: UnitName,
  { file, lines, source }: LocalContent,
  allowUnknown: boolean,
): Problem[] {
  const problems: Problem[] = [];
  let entries = file.options.map((option, index) => ({ option, line: lines[index] ?? 0 }));
  while (problems.length < mostProblems) {
    try {
      const options = entries.map(({ option }) => option);
      parseRequirements({ name, file: { options }, lines: entries.map(({ line }) => line), source, allowUnknown });
      break;
    } catch (error) {
      if (!(error instanceof UnitError) || error.line === undefined) throw error;
      problems.push(toProblem(error, source));
      entries = entries.filter(({ line }) => line !== error.line);
    }
  }
  return problems;
}

function byLine(one: Problem, other: Problem): number {
  return (one.line ?? 0) - (other.line ?? 0);
}

function toWarning({ section, option, line = 0, meant }: IgnoredOption, source: string): Problem {
  const what = option === undefined ? 'is ignored' : `${option}= is ignored`;
  const instead = option === undefined ? `[${meant}]` : `${meant}=`;
  const advice = meant === undefined ? ': it is not known' : `; did you mean ${instead}?`;
  return {
    severity: 'warning',
    checker: 'fleetctl',
    line,
    section,
    ...(option !== undefined && { option }),
    message: `${source}:${line}: [${section}] ${what}${advice}`,
  };
}

function toProblem(error: FleetError, path: string): Problem {
  const place = error instanceof UnitError ? { line: error.line, section: error.section, option: error.option } : {};
  const { line, section, option } = place;
  const isNamed = error instanceof UnitError ? error.source !== undefined : error.message.includes(path);
  return {
    severity: 'error',
    checker: 'fleetctl',
    ...(line !== undefined && { line }),
    ...(section !== undefined && { section }),
    ...(option !== undefined && { option }),
    message: isNamed ? error.message : `${path}: ${error.message}`,
  };
}
