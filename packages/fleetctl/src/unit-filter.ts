import type { Command } from 'commander';
import { matchesArgument, parseUnitArguments, type UnitArgument } from './unit-arguments.js';

/** Flags that leave units out of a list. */
export interface UnitFilterFlags {
  readonly machine?: string;
}

/** Which units a list is to show. */
export interface UnitFilter {
  /** The only names that can be among them; `undefined` if all can. */
  readonly names: readonly string[] | undefined;
  /** The only machine that they can be on, if its whole ID is known. */
  readonly machineID: string | undefined;
  isWanted(unit: { readonly name: string; readonly machineID?: string }): boolean;
}

const wholeId = /^[0-9a-f]{32}$/;

/** Adds the flags. */
export function addUnitFilter(command: Command): Command {
  return command.option('--machine <id>', 'only what is on that machine: its ID, or the beginning of it');
}

/** What the words and flags of a list leave in it. @throws UsageError */
export function chooseUnitFilter(words: readonly string[], { machine }: UnitFilterFlags): UnitFilter {
  const wanted: readonly UnitArgument[] = words.length === 0 ? [] : parseUnitArguments(words);
  const names = wanted.flatMap((argument) => (argument.kind === 'name' ? [argument.name] : []));
  const start = machine?.replace(/\.\.\.$/, '').toLowerCase() ?? '';
  return {
    names: wanted.length > 0 && names.length === wanted.length ? [...names].sort() : undefined,
    machineID: wholeId.test(start) ? start : undefined,
    isWanted: ({ name, machineID = '' }) =>
      machineID.startsWith(start) && (wanted.length === 0 || wanted.some((each) => matchesArgument(each, name))),
  };
}
