import { FleetError } from '@flotilla/errors';

/** What is wrong: the name itself, the text of a unit file, or what its `[X-Fleet]` section asks. */
export type UnitErrorCode = 'invalid-unit-name' | 'invalid-unit-file' | 'invalid-requirements';

/** Where in a unit file something is wrong, as far as it is known. */
export interface UnitErrorPlace {
  /** The file, or whatever the reader calls it. */
  readonly source?: string | undefined;
  /** Counted from 1. */
  readonly line?: number | undefined;
  readonly section?: string | undefined;
  readonly option?: string | undefined;
}

/**
 * A refused unit name, unit file or requirement. The message reads `<source>:<line>: [<Section>] <Option>= <problem>`,
 * without the parts that are not known.
 */
export class UnitError extends FleetError {
  declare readonly code: UnitErrorCode;
  /** The message without the place. */
  readonly problem: string;
  readonly source: string | undefined;
  /** Counted from 1. */
  readonly line: number | undefined;
  readonly section: string | undefined;
  readonly option: string | undefined;

  constructor(code: UnitErrorCode, problem: string, place: UnitErrorPlace = {}) {
    super(code, placePrefix(place) + problem);
    this.problem = problem;
    this.source = place.source;
    this.line = place.line;
    this.section = place.section;
    this.option = place.option;
  }
}

/** Enough of a name to recognise it by. A terminal is not to obey what somebody takes for a unit file. */
const longestShown = 60;

/** A section's or an option's name as errors show it. */
export function shownName(name: string): string {
  const start = name.length > longestShown ? `${name.slice(0, longestShown)}…` : name;
  return start.replace(/\p{Cc}/gu, '\ufffd');
}

function placePrefix({ source, line, section, option }: UnitErrorPlace): string {
  const where = source === undefined ? line && `line ${line}` : line === undefined ? source : `${source}:${line}`;
  return [
    where === undefined ? '' : `${where}: `,
    section === undefined ? '' : `[${shownName(section)}] `,
    option === undefined ? '' : `${shownName(option)}= `,
  ].join('');
}
