import type { Requirements } from '@flotilla/unit';
import { spellTest } from './metadata.js';

/** What a unit asks for as lines of `[X-Fleet]`, specifiers expanded: `MachineMetadata=role=db`. Each option's lines together. */
export function spellRequirements(asked: Requirements): string[] {
  const lines = (option: string, values: Iterable<string>) => Array.from(values, (value) => `${option}=${value}`);
  const equalities = [...asked.metadata].flatMap(([key, accepted]) => accepted.map((value) => `${key}=${value}`));
  return [
    ...(asked.isGlobal ? ['Global=true'] : []),
    ...lines('MachineID', asked.machineId === undefined ? [] : [asked.machineId]),
    ...lines('MachineMetadata', [...equalities, ...asked.metadataTests.map(spellTest)]),
    ...lines('MachineOf', asked.machineOf),
    ...lines('Conflicts', asked.conflicts),
    ...lines('Replaces', asked.replaces),
    ...lines(
      'PreferMachineMetadata',
      asked.preferMetadata.map(({ weight, test }) => `${weight}:${spellTest(test)}`),
    ),
    ...lines(
      'PreferConflicts',
      asked.preferConflicts.map(({ weight, glob }) => `${weight}:${glob}`),
    ),
    ...lines('SpreadOver', asked.spreadOver),
    ...lines('Strategy', asked.strategy === undefined ? [] : [asked.strategy]),
    ...(asked.partitionStop === undefined
      ? []
      : ['OnPartition=stop', `OnPartitionStopSec=${asked.partitionStop.afterMs / 1000}`]),
    ...(asked.isRolling ? ['Update=rolling'] : []),
  ];
}
