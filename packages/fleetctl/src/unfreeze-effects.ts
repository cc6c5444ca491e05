import type { MachineEntity, UnfreezeAnswer, UnfreezeEffectEntity, UnfreezeEffectWord } from '@flotilla/schema';
import { machineLabel } from './machine-label.js';

/** In the order in which they are told: what hurts comes last, next to the prompt. */
const headings: Readonly<Record<UnfreezeEffectWord, string>> = {
  kept: 'stays as it is',
  'written-back': 'written back into the store, and stays as it is',
  loaded: 'loaded here',
  started: 'started here',
  replaced: 'restarted here with other content',
  stopped: 'stopped here',
};

/** What unfreezing a machine does, for people: units of one fate, with one reason for it, stand together. */
export function describeEffects({ frozen, units = [] }: UnfreezeAnswer, machine: MachineEntity): string {
  const lines = [`Machine ${machineLabel(machine, true)} is frozen: ${frozen}`];
  for (const [effect, heading] of Object.entries(headings)) {
    const affected = units.filter((unit) => unit.effect === effect);
    for (const [why, names] of byReason(affected))
      lines.push(`  ${heading} (${why}), ${names.length}: ${names.join(' ')}`);
  }
  if (units.length === 0) lines.push('  it has no units');
  return lines.join('\n');
}

function byReason(units: readonly UnfreezeEffectEntity[]): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { name, why } of units) names.set(why, [...(names.get(why) ?? []), name]);
  return names;
}
