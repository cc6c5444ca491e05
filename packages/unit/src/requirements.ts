import { isGlob } from './glob.js';
import { type RequirementItem, type RequirementsSource, refuse, requirementItems } from './requirement-items.js';
import { metadataRequirements } from './requirement-metadata.js';
import { partitionStopOf } from './requirement-partition.js';
import { conflictPreferences, metadataPreferences, spreadKeys, strategyOf } from './requirement-preferences.js';
import { checkCombinations, type EffectiveItems } from './requirement-rules.js';
import { lastWord } from './requirement-words.js';
import { noRequirements, type Requirements } from './unit-model.js';
import { isUnitName, unitNameParts } from './unit-name.js';

export type { RequirementsSource } from './requirement-items.js';

const updateWords = ['rolling', 'at-once'] as const;

const trueWords: ReadonlySet<string> = new Set(['true', 'yes', '1', 'on', 't']);
const falseWords: ReadonlySet<string> = new Set(['false', 'no', '0', 'off', 'f', '']);

/**
 * What a unit's `[X-Fleet]` section asks of a machine, specifiers expanded for the unit's name.
 *
 * Of a template, values that name the instance are not checked, and stand with an empty instance: a template never
 * runs. Give `allowUnknown` for units that were accepted before, so that a version that knows fewer options can read
 * them.
 *
 * @throws UnitError `invalid-requirements` with source, line and option: unknown options (but not those that start
 *   with `X-`), items that can't be read, peers that are not unit names, malformed globs, combinations that can't be
 *   fulfilled.
 * @see coreos/fleet job/job.go, api/units.go, whose wording the errors of combinations contain
 */
export function parseRequirements(input: RequirementsSource): Requirements {
  const itemsOf = requirementItems(input);
  if (itemsOf === undefined) return noRequirements;
  const items: EffectiveItems = {
    Conflicts: itemsOf('Conflicts').flatMap(wordItems),
    Global: trueItems(input, itemsOf('Global')),
    MachineID: itemsOf('MachineID'),
    MachineMetadata: itemsOf('MachineMetadata'),
    MachineOf: itemsOf('MachineOf'),
    OnPartition: itemsOf('OnPartition'),
    OnPartitionStopSec: itemsOf('OnPartitionStopSec'),
    PreferConflicts: itemsOf('PreferConflicts').flatMap(wordItems),
    PreferMachineMetadata: itemsOf('PreferMachineMetadata'),
    Replaces: itemsOf('Replaces').filter(({ text }) => text !== ''),
    SpreadOver: itemsOf('SpreadOver'),
    Strategy: itemsOf('Strategy'),
    Update: itemsOf('Update'),
  };
  for (const item of items.MachineID) if (item.text === '' && !item.isOpen) refuse(input, item, 'needs a machine ID');
  for (const item of items.MachineOf) checkPeer(input, item);
  for (const item of [...items.Conflicts, ...items.Replaces]) checkGlob(input, item);
  const requirements: Requirements = {
    isGlobal: items.Global.length > 0,
    machineId: items.MachineID[0]?.text,
    ...metadataRequirements(input, items.MachineMetadata),
    machineOf: items.MachineOf.map(({ text }) => text),
    conflicts: items.Conflicts.map(({ text }) => text),
    replaces: items.Replaces.map(({ text }) => text),
    preferMetadata: metadataPreferences(input, items.PreferMachineMetadata),
    preferConflicts: conflictPreferences(input, items.PreferConflicts),
    spreadOver: spreadKeys(input, items.SpreadOver),
    strategy: strategyOf(input, items.Strategy),
    partitionStop: partitionStopOf(input, items),
    isRolling: lastWord(input, items.Update, updateWords) === 'rolling',
  };
  checkCombinations(input, items);
  return requirements;
}

function wordItems(item: RequirementItem): RequirementItem[] {
  const words = item.text.split(/\s+/).filter((word) => word !== '');
  return words.map((text) => ({ ...item, text }));
}

/** The last `Global=`, if it is true. */
function trueItems(input: RequirementsSource, items: readonly RequirementItem[]): readonly RequirementItem[] {
  for (const item of items) {
    const word = item.text.toLowerCase();
    if (!trueWords.has(word) && !falseWords.has(word)) refuse(input, item, `is neither true nor false: "${item.text}"`);
  }
  const last = items.at(-1);
  return last !== undefined && trueWords.has(last.text.toLowerCase()) ? [last] : [];
}

function checkPeer(input: RequirementsSource, item: RequirementItem): void {
  if (item.isOpen) return;
  const advice = /\s/.test(item.text) ? '; write one unit per line, or each in double quotes' : '';
  if (!isUnitName(item.text)) refuse(input, item, `names no unit: "${item.text}"${advice}`);
  if (unitNameParts(item.text).isTemplate)
    refuse(input, item, `names a template, which no machine runs: "${item.text}"`);
  if (item.text === input.name) refuse(input, item, 'names the unit itself, which is nowhere before it is placed');
}

function checkGlob(input: RequirementsSource, item: RequirementItem): void {
  if (item.isOpen) return;
  if (!isGlob(item.text)) refuse(input, item, `has a malformed glob: "${item.text}"`);
  if (/\s/.test(item.text))
    refuse(input, item, `matches no unit: "${item.text}"; write one glob per line, or each in double quotes`);
}
