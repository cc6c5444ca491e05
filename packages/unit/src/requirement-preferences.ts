import { isGlob } from './glob.js';
import { type RequirementItem, type RequirementsSource, refuse } from './requirement-items.js';
import { readTest } from './requirement-metadata.js';
import { lastWord } from './requirement-words.js';
import {
  type ConflictPreference,
  type MetadataPreference,
  noRequirements,
  type Requirements,
  type Strategy,
  strategies,
} from './unit-model.js';
import { unitNameParts } from './unit-name.js';

/** What `PreferMachineMetadata=` says. */
export function metadataPreferences(
  input: RequirementsSource,
  items: readonly RequirementItem[],
): Requirements['preferMetadata'] {
  if (items.length === 0) return noRequirements.preferMetadata;
  const preferences: MetadataPreference[] = [];
  for (const item of items) {
    const weighed = readWeighed(input, item, 'cores>=8');
    const test = weighed && readTest(input, item, weighed.rest);
    if (test !== undefined) preferences.push({ weight: weighed?.weight ?? 0, test });
  }
  return preferences;
}

/** What `PreferConflicts=` says. */
export function conflictPreferences(
  input: RequirementsSource,
  items: readonly RequirementItem[],
): Requirements['preferConflicts'] {
  if (items.length === 0) return noRequirements.preferConflicts;
  const preferences: ConflictPreference[] = [];
  for (const item of items) {
    const weighed = readWeighed(input, item, 'db*.service');
    if (weighed === undefined) continue;
    if (!item.isOpen && !isGlob(weighed.rest)) refuse(input, item, `has a malformed glob: "${weighed.rest}"`);
    preferences.push({ weight: weighed.weight, glob: weighed.rest });
  }
  return preferences;
}

/** What `SpreadOver=` says: keys of metadata. */
export function spreadKeys(input: RequirementsSource, items: readonly RequirementItem[]): Requirements['spreadOver'] {
  const [first] = items;
  if (first === undefined) return noRequirements.spreadOver;
  const { isTemplate, isInstance } = unitNameParts(input.name);
  if (!isTemplate && !isInstance)
    refuse(input, first, 'evens out the instances of a template, and this unit is not one: name it like web@.service');
  for (const item of items) {
    if (item.isOpen || /^[^\s=!<>]+$/.test(item.text)) continue;
    const advice = /\s/.test(item.text) ? '; write one per line, or each in double quotes' : '';
    refuse(input, item, `wants a key of metadata, like az, but has "${item.text}"${advice}`);
  }
  return [...new Set(items.map(({ text }) => text))];
}

/** What the last `Strategy=` says; each of them has to make sense. */
export function strategyOf(input: RequirementsSource, items: readonly RequirementItem[]): Strategy | undefined {
  return lastWord(input, items, strategies);
}

/** fleet has no weights: enough steps to order wishes by, few enough to be compared at a glance. */
const heaviest = 1000;

/** The weight, and what follows the colon; `undefined` if it will make sense when the instance is known. */
function readWeighed(
  input: RequirementsSource,
  item: RequirementItem,
  example: string,
): { readonly weight: number; readonly rest: string } | undefined {
  const { option, text, isOpen } = item;
  const [, number = '', rest = ''] = /^([^:]*?)\s*:\s*(.*)$/s.exec(text) ?? [];
  const weight = /^\d+$/.test(number) ? Number(number) : 0;
  if (rest !== '' && weight >= 1 && weight <= heaviest) return { weight, rest };
  if (isOpen) return undefined;
  const form = `wants a weight from 1 to ${heaviest}, a colon and what it is for, like ${option}=100:${example}`;
  return refuse(input, item, `${form}, but has "${text}"${/^-\d/.test(number) ? negativeAdvice : ''}`);
}

const negativeAdvice = '; a weight is never negative: prefer the opposite instead';
