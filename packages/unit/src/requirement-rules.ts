import { matchGlob } from './glob.js';
import { type RequirementItem, type RequirementKey, type RequirementsSource, refuse } from './requirement-items.js';

const nothingToChoose = 'a global unit runs on every machine that fits, so there is nothing to choose';

/** Pairs that cannot stand in one unit, in fleet's order and with the words that fleet has for its own. */
const exclusions: readonly (readonly [RequirementKey, RequirementKey, string])[] = [
  ['MachineID', 'MachineOf', 'MachineID cannot be used with Peers'],
  ['MachineID', 'Conflicts', 'MachineID cannot be used with Conflicts'],
  ['MachineID', 'Global', 'MachineID cannot be used with Global'],
  ['MachineID', 'Replaces', 'MachineID cannot be used with Replaces'],
  ['Global', 'MachineOf', 'Global cannot be used with Peers'],
  ['Global', 'Replaces', 'Global cannot be used with Replaces'],
  ['Conflicts', 'Replaces', 'Conflicts cannot be used with Replaces'],
  ['Global', 'Strategy', nothingToChoose],
  ['Global', 'SpreadOver', nothingToChoose],
  ['Global', 'PreferMachineMetadata', nothingToChoose],
  ['Global', 'PreferConflicts', nothingToChoose],
];

/** The items that ask for something, by key; `Global` has one only if it is true. */
export type EffectiveItems = Readonly<Record<RequirementKey, readonly RequirementItem[]>>;

/** Refuses what no machine could ever fulfil, and what fleet does not allow together. */
export function checkCombinations(input: RequirementsSource, items: EffectiveItems): void {
  for (const peer of items.MachineOf) {
    for (const conflict of items.Conflicts) checkOverlap(input, peer, { item: conflict, word: 'conflict' });
    for (const replaced of items.Replaces) checkOverlap(input, peer, { item: replaced, word: 'replace' });
  }
  for (const [one, other, words] of exclusions) {
    const [first] = items[one];
    const [second] = items[other];
    if (first === undefined || second === undefined) continue;
    const [earlier, later] = (first.line ?? 0) > (second.line ?? 0) ? [second, first] : [first, second];
    refuse(input, later, `may not be combined with ${earlier.option}=: ${words}`);
  }
}

function checkOverlap(
  input: RequirementsSource,
  peer: RequirementItem,
  { item, word }: { readonly item: RequirementItem; readonly word: string },
): void {
  if (peer.isOpen || item.isOpen || !matchGlob(item.text, peer.text)) return;
  refuse(input, peer, `has unresolvable requirements: peer "${peer.text}" matches ${word} "${item.text}"`);
}
