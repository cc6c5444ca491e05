import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { describeInstance, parseUnitName } from '@flotilla/unit';
import { formatSince, formatSystemdSince } from './since.js';
import { isGlobalUnit, storedFile } from './unit-content.js';

/** A registered unit and its states. */
export interface Subject {
  readonly unit: UnitEntity;
  readonly states: readonly UnitStateEntity[];
}

/** What texts need besides the unit. */
export interface StatusTextOptions {
  /** What a machine is called. */
  readonly label: (id: string) => string;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

type Line = readonly [word: string, text: string];

/** systemctl's words stand as far to the right. */
const wordWidth = 11;

/** Whether the unit is to be somewhere and waits: for a machine, or for its own one. */
export function isWaiting({ unit, states }: Subject): boolean {
  const isPlaced = unit.machineID !== undefined || (isGlobalUnit(unit) && states.length > 0);
  return unit.desiredState !== 'inactive' && (unit.reason !== undefined || !isPlaced);
}

/** What is known of a unit that no machine has, or not yet. */
export function placelessText(subject: Subject, options: StatusTextOptions): string {
  const { desiredState, machineID, reason } = subject.unit;
  const lines: Line[] = [['Asked', desiredState]];
  if (machineID !== undefined) {
    const silent = reason === undefined ? ', which has not loaded it yet' : '';
    lines.push(['Machine', `${options.label(machineID)}${silent}`]);
  }
  return formatText(titleOf(subject.unit), [...lines, ...waitLines(subject, options)]);
}

/** What is known of a unit on one machine, in the words of `systemctl status`. */
export function stateText(subject: Subject, state: UnitStateEntity, options: StatusTextOptions): string {
  const { systemdLoadState, systemdActiveState, systemdSubState, machineID, since } = state;
  const active = `${systemdActiveState} (${systemdSubState})`;
  const lines: Line[] = [
    ['Loaded', systemdLoadState],
    ['Active', since === undefined ? active : `${active} ${formatSystemdSince(since, options.nowMs)}`],
    ['Machine', options.label(machineID)],
    ['Asked', subject.unit.desiredState],
  ];
  return formatText(titleOf(subject.unit), [...lines, ...troubleLines(subject, state, options)]);
}

/** What only fleetd knows of a unit that this machine's systemd is asked about; empty if there is nothing. */
export function troubleText(subject: Subject, state: UnitStateEntity, options: StatusTextOptions): string {
  const lines = troubleLines(subject, state, options);
  return lines.length === 0 ? '' : formatText(titleOf(subject.unit), lines);
}

function troubleLines(subject: Subject, { error, waitsFor }: UnitStateEntity, options: StatusTextOptions): Line[] {
  const inTurn = 'for its turn to be replaced: another one is, or has failed with the new file (Update=rolling)';
  return [
    ...(error === undefined ? [] : [['Error', error] as const]),
    ...(waitsFor === 'turn' ? [['Waits', inTurn] as const] : []),
    ...waitLines(subject, options),
  ];
}

function waitLines(subject: Subject, { nowMs }: StatusTextOptions): Line[] {
  if (!isWaiting(subject)) return [];
  const { name, reason, waitingSince } = subject.unit;
  const unknown = isGlobalUnit(subject.unit) ? 'no machine has loaded it yet' : 'no machine has been chosen yet';
  const since = waitingSince === undefined ? '' : `${formatSince(waitingSince, nowMs)}: `;
  return [
    ['Waits', `${since}${reason ?? unknown}`],
    ['', `fleetctl explain ${name} shows each machine`],
  ];
}

function titleOf(unit: UnitEntity): string {
  const description = describeInstance(storedFile(unit), parseUnitName(unit.name)) ?? '';
  return description === '' ? unit.name : `${unit.name} - ${description}`;
}

function formatText(title: string, lines: readonly Line[]): string {
  const texts = lines.map(([word, text]) => `${(word && `${word}:`).padStart(wordWidth + 1)} ${text}\n`);
  return `${title}\n${texts.join('')}`;
}
