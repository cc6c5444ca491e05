import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { describeInstance, parseUnitName } from '@flotilla/unit';
import { Option } from 'commander';
import { examples, type FleetctlCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { readLabels } from '../machine-label.js';
import { selectUnits } from '../selection.js';
import { formatSince } from '../since.js';
import { formatStructured, type StructuredForm } from '../structured.js';
import { parseUnitArguments } from '../unit-arguments.js';
import { isGlobalUnit, storedFile } from '../unit-content.js';
import { isRunning } from '../verdict.js';

interface StatusFlags {
  readonly full?: true;
  readonly output?: StructuredForm;
}

/** A registered unit and its states. */
interface Subject {
  readonly unit: UnitEntity;
  readonly states: readonly UnitStateEntity[];
}

export const status: FleetctlCommand = {
  configure(command) {
    command
      .option('-l, --full', 'do not shorten IDs')
      .addOption(new Option('-o, --output <form>', 'the unit and its states, for programs').choices(['json', 'yaml']))
      .addOption(new Option('--no-block').hideHelp())
      .description(
        'Shows how units fare: what was asked, where they are, and what systemd says there; of a unit that waits for a ' +
          'machine, why and since when. fleetd knows it all: the machines are not asked.\n' +
          'Exit code: 0 all are active, 1 one is unknown or inactive by wish, 2 one waits for a machine, 3 one is not active.',
      )
      .addHelpText(
        'after',
        examples('fleetctl status web.service', "fleetctl status 'web@*'", 'fleetctl status -o json web'),
      );
  },
  async run(context, command) {
    const { full, output } = command.opts<StatusFlags>();
    const { client, reader, screen } = context;
    const selection = await selectUnits(client, parseUnitArguments(command.args));
    const names = selection.units.map(({ name }) => name);
    const [units, states] = await Promise.all([reader.units(names), reader.states(names)]);
    const codes: number[] = [];
    const fail = (line: string) => {
      screen.err(screen.palette.bad(line));
      codes.push(exitCodes.failed);
    };
    for (const pattern of selection.unmatched) fail(`no unit in the registry matches ${pattern}`);
    const subjects: Subject[] = [];
    for (const name of names) {
      const unit = units.get(name);
      if (unit === undefined) fail(`Unit ${name} does not exist.`);
      else subjects.push({ unit, states: states.get(name) ?? [] });
    }
    codes.push(...subjects.map(exitCodeOf));
    if (output !== undefined) screen.write(await formatStructured(subjects.map(toJson), output));
    else if (subjects.length > 0) {
      const describing = { label: await readLabels(client, full === true), nowMs: context.clock.now() };
      screen.write(subjects.map((subject) => describe(subject, describing)).join('\n'));
    }
    return worstCode(codes);
  },
};

function toJson({ unit: { file: _, ...unit }, states }: Subject): object {
  return { states, unit };
}

function exitCodeOf({ unit, states }: Subject): number {
  if (unit.desiredState === 'inactive' && states.length === 0) return exitCodes.failed;
  if (isWaiting({ unit, states })) return exitCodes.pending;
  return states.length > 0 && states.every(isRunning) ? exitCodes.done : exitCodes.notActive;
}

/** A problem of fleetctl's own comes before one of the cluster, and that before one of systemd's. */
function worstCode(codes: readonly number[]): number {
  const { done, failed, notActive, pending } = exitCodes;
  return [failed, pending, notActive].find((code) => codes.includes(code)) ?? done;
}

function isWaiting({ unit, states }: Subject): boolean {
  const isPlaced = unit.machineID !== undefined || (isGlobalUnit(unit) && states.length > 0);
  return unit.desiredState !== 'inactive' && (unit.reason !== undefined || !isPlaced);
}

interface Describing {
  /** What a machine is called. */
  readonly label: (id: string) => string;
  readonly nowMs: number;
}

function describe(subject: Subject, { label, nowMs }: Describing): string {
  const { unit, states } = subject;
  const { name, desiredState, machineID, reason, waitingSince } = unit;
  const description = describeInstance(storedFile(unit), parseUnitName(name)) ?? '';
  const title = description === '' ? name : `${name} - ${description}`;
  const lines: (readonly [string, string])[] = [['Asked', desiredState]];
  if (machineID !== undefined && !states.some((state) => state.machineID === machineID))
    lines.push(['On', reason === undefined ? `${label(machineID)}, which has not loaded it yet` : label(machineID)]);
  for (const state of states) {
    lines.push(['On', `${label(state.machineID)}: ${wordsOf(state, nowMs)}`]);
    if (state.error !== undefined) lines.push(['Error', state.error]);
  }
  if (isWaiting(subject)) {
    const unknown = isGlobalUnit(unit) ? 'no machine has loaded it yet' : 'no machine has been chosen yet';
    const since = waitingSince === undefined ? '' : `${formatSince(waitingSince, nowMs)}: `;
    lines.push(['Waits', `${since}${reason ?? unknown}`]);
    lines.push(['', `fleetctl explain ${name} shows each machine`]);
  } else if (desiredState === 'inactive' && states.length === 0) lines.push(['On', 'no machine: it is not loaded']);
  return `${title}\n${lines.map(([word, text]) => `${`${word}${word === '' ? '' : ':'}`.padStart(9)} ${text}\n`).join('')}`;
}

function wordsOf(state: UnitStateEntity, nowMs: number): string {
  const load = state.systemdLoadState === 'loaded' ? '' : `${state.systemdLoadState}, `;
  const since = state.since === undefined ? '' : ` ${formatSince(state.since, nowMs)}`;
  return `${load}${state.systemdActiveState} (${state.systemdSubState})${since}`;
}
