import { UnitError } from './errors.js';
import { findNearest } from './nearest.js';
import { type ExpandedValue, expandSpecifiers, splitValue } from './requirement-values.js';
import type { UnitFile, UnitName } from './unit-model.js';

/** Canonical names of the options in `[X-Fleet]`. */
const keys = [
  'Conflicts',
  'Global',
  'MachineID',
  'MachineMetadata',
  'MachineOf',
  'OnPartition',
  'OnPartitionStopSec',
  'PreferConflicts',
  'PreferMachineMetadata',
  'Replaces',
  'SpreadOver',
  'Strategy',
  'Update',
] as const;
export type RequirementKey = (typeof keys)[number];

/** Spellings of each key, in the order in which their values count. */
const spellings: Readonly<Record<RequirementKey, readonly string[]>> = {
  Conflicts: ['X-Conflicts', 'Conflicts'],
  Global: ['Global'],
  MachineID: ['MachineID', 'X-ConditionMachineID', 'X-ConditionMachineBootID'],
  MachineMetadata: ['X-ConditionMachineMetadata', 'MachineMetadata'],
  MachineOf: ['X-ConditionMachineOf', 'MachineOf'],
  OnPartition: ['OnPartition'],
  OnPartitionStopSec: ['OnPartitionStopSec'],
  PreferConflicts: ['PreferConflicts'],
  PreferMachineMetadata: ['PreferMachineMetadata'],
  Replaces: ['Replaces'],
  SpreadOver: ['SpreadOver'],
  Strategy: ['Strategy'],
  Update: ['Update'],
};
const knownSpellings: ReadonlySet<string> = new Set(Object.values(spellings).flat());

/** An option as the file spells it, and the line that it is on. */
export interface OptionPlace {
  readonly option: string;
  readonly line: number | undefined;
}

/** One of the values that an option in `[X-Fleet]` holds. */
export interface RequirementItem extends ExpandedValue, OptionPlace {}

/** A unit file whose `[X-Fleet]` section is to be read. */
export interface RequirementsSource {
  readonly name: UnitName;
  readonly file: UnitFile;
  /** What errors call the file. @default the unit's name */
  readonly source?: string | undefined;
  /** The line of each option, as `parseUnitFileWithLines` gives it. @default errors name no line */
  readonly lines?: readonly number[] | undefined;
  /** Ignore options that are not known, instead of refusing them. @default false */
  readonly allowUnknown?: boolean | undefined;
}

const none: readonly RequirementItem[] = [];

/**
 * The items of `[X-Fleet]` by key, in the order in which they count; `undefined` if there is not one option. Throws for
 * what cannot be read as items.
 */
export function requirementItems(
  input: RequirementsSource,
): ((key: RequirementKey) => readonly RequirementItem[]) | undefined {
  const bySpelling = new Map<string, RequirementItem[]>();
  for (const [index, { section, name, value }] of input.file.options.entries()) {
    if (section !== 'X-Fleet') continue;
    const place = { option: name, line: input.lines?.[index] };
    if (!knownSpellings.has(name)) {
      if (input.allowUnknown === true || name.startsWith('X-')) continue;
      refuse(input, place, `is not a known option; ${adviceFor(name)}`);
    }
    const values = splitValue(value) ?? refuse(input, place, `has quotes that do not close: ${value}`);
    const items = bySpelling.get(name) ?? [];
    bySpelling.set(name, items);
    for (const text of values) items.push({ ...expandSpecifiers(text, input.name), ...place });
  }
  if (bySpelling.size === 0) return undefined;
  return (key) => {
    const [only = '', ...others] = spellings[key];
    if (others.length === 0) return bySpelling.get(only) ?? none;
    return spellings[key].flatMap((spelling) => bySpelling.get(spelling) ?? none);
  };
}

/** What is read over, and what is likely meant by it. */
export interface IgnoredOption {
  readonly section: string;
  /** `undefined`: the whole section is read over, and `line` is that of its first option. */
  readonly option: string | undefined;
  readonly line: number | undefined;
  /** `undefined` if nothing is like it. */
  readonly meant: string | undefined;
}

/**
 * What looks like ours and is not: sections named almost like `[X-Fleet]`, and options in that one that start with `X-`,
 * as whatever a user wants to note there does. With `allowUnknown`, also all else there that is not known.
 */
export function ignoredOptions({
  file,
  lines,
  allowUnknown = false,
}: Pick<RequirementsSource, 'file' | 'lines' | 'allowUnknown'>): readonly IgnoredOption[] {
  const sections = new Set<string>(['X-Fleet']);
  return file.options.flatMap(({ section, name }, index): IgnoredOption[] => {
    const line = lines?.[index];
    if (!sections.has(section)) {
      sections.add(section);
      const meant = findNearest(section, ['X-Fleet']);
      return meant === undefined ? [] : [{ section, option: undefined, line, meant }];
    }
    if (section !== 'X-Fleet' || knownSpellings.has(name)) return [];
    const isNote = name.startsWith('X-');
    if (!isNote && !allowUnknown) return [];
    const meant = findNearest(name.replace(/^X-(Condition)?/, ''), keys);
    return meant === undefined && isNote ? [] : [{ section, option: name, line, meant }];
  });
}

/** Throws the error about one option of `[X-Fleet]`. */
export function refuse({ name, source = name }: RequirementsSource, place: OptionPlace, problem: string): never {
  throw new UnitError('invalid-requirements', problem, { source, section: 'X-Fleet', ...place });
}

function adviceFor(name: string): string {
  const nearest = findNearest(name, keys);
  return nearest === undefined ? `known are ${keys.join(', ')}` : `did you mean ${nearest}=?`;
}
