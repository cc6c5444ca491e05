import type { ExplanationEntity } from '@flotilla/schema';
import { formatSince } from './since.js';

/** What {@link explanationHeadline} needs besides the explanation. */
export interface HeadlineOptions {
  /** What a machine is called. */
  readonly label: (id: string) => string;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

/** Whether the cluster is not as wanted: the unit is to run, and there is no machine for it, or its own one is gone. */
export function isWaiting({ standing, heldBack, machines = [] }: ExplanationEntity): boolean {
  if (heldBack === true) return true;
  return standing === 'waiting' || (standing === 'global' && !machines.some(({ here }) => here === true));
}

/** The verdict on a unit, in a sentence. */
export function explanationHeadline(explanation: ExplanationEntity, options: HeadlineOptions): string {
  const { name, standing, leaving = [] } = explanation;
  const stopping =
    standing === 'waiting' || leaving.length === 0
      ? ''
      : `; it is still being stopped on ${leaving.map(options.label).join(', ')}`;
  return `${name} ${verdict(explanation, options)}${stopping}`;
}

function verdict(explanation: ExplanationEntity, options: HeadlineOptions): string {
  switch (explanation.standing) {
    case 'waiting':
      return waitingVerdict(explanation, options);
    case 'placed':
      return placedVerdict(explanation, options);
    case 'global':
      return `is global: ${whereGlobal(explanation, 'runs', 'waits')}`;
    case 'inactive':
      return `is inactive: started, it ${whereTo(explanation, options)}`;
    case 'template':
      return `is a template, which runs nowhere itself: an instance ${whereFits(explanation)}`;
    case 'unreadable':
      return "can't be read, so nothing is decided about it; the leader's log says why";
    default:
      return `is ${explanation.standing satisfies never}`;
  }
}

function waitingVerdict(explanation: ExplanationEntity, { label, nowMs }: HeadlineOptions): string {
  const { reason, waitingSince } = explanation;
  const waits = waitingSince === undefined ? 'waits' : `waits ${formatSince(waitingSince, nowMs)}`;
  if (reason !== undefined) return `${waits}: ${reason}`;
  const chosen = findChosen(explanation);
  return chosen === undefined ? waits : `${waits}, and is about to be placed on ${label(chosen)}`;
}

function placedVerdict(explanation: ExplanationEntity, { label }: HeadlineOptions): string {
  const { machineID = '', heldBack, machines = [], reason } = explanation;
  const on = `is placed on ${label(machineID)}`;
  if (heldBack === true && reason !== undefined) return `${on} and waits: ${reason}`;
  if (heldBack === true)
    return `${on}, which is gone; it waits until that one is back or lost, see fleetctl list-machines`;
  const own = machines.find(({ id }) => id === machineID);
  if (own === undefined) return `${on}, which has gone; it is about to be placed anew`;
  const { misfits = [] } = own;
  if (misfits.length > 0)
    return `${on}, but may not stay: that machine ${misfits.map(({ text }) => text).join(' and ')}`;
  const others = machines.filter((machine) => machine !== own && machine.misfits === undefined).length;
  if (others === 0) return `${on}, the only machine that it fits`;
  return `${on}, and fits ${others} other ${others === 1 ? 'machine' : 'machines'}`;
}

function whereGlobal({ machines = [] }: ExplanationEntity, runs: string, waits: string): string {
  if (machines.length === 0) return `it ${waits}, as there is no machine`;
  const here = machines.filter(({ misfits }) => misfits === undefined).length;
  const of = `${here === 0 ? 'none' : here} of ${machines.length} machines`;
  return here === 0 ? `it ${waits}, as it fits ${of}` : `it ${runs} on ${of}`;
}

function whereTo(explanation: ExplanationEntity, { label }: HeadlineOptions): string {
  const { machines = [], requirements = [] } = explanation;
  if (requirements.includes('Global=true'))
    return whereGlobal(explanation, 'would run', 'would wait').slice('it '.length);
  const chosen = findChosen(explanation);
  if (chosen !== undefined) return `would go to ${label(chosen)}`;
  return machines.length === 0 ? 'would wait, as there is no machine' : 'would wait, as it fits no machine';
}

function whereFits({ machines = [] }: ExplanationEntity): string {
  const fitting = machines.filter(({ misfits }) => misfits === undefined).length;
  return `fits ${fitting === 0 ? 'none' : fitting} of ${machines.length} machines`;
}

function findChosen({ machines = [] }: ExplanationEntity): string | undefined {
  return machines.find(({ rank }) => rank === 1)?.id;
}
