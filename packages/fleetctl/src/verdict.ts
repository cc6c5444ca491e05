import type { LaunchStateWord, UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { hashUnitFile } from '@flotilla/unit';
import { machineIdLabel } from './machine-label.js';
import { storedFile } from './unit-content.js';

/**
 * What a command waits for: `inactive` is on no machine; `loaded` is known to systemd; `launched` is started, and
 * running or, if it is made to end, ended; `stopped` is not running, wherever it is; `gone` is destroyed everywhere;
 * `somewhere`: at least one machine has it, which is all that is known of a global unit that fares well.
 */
export type Goal = 'inactive' | 'loaded' | 'launched' | 'stopped' | 'gone' | 'somewhere';

/** A unit and what is waited for. */
export interface Expectation {
  readonly name: string;
  readonly goal: Goal;
  /** The copy that must be on the machine; `undefined` if any will do. */
  readonly hash?: string;
  /** `Type=oneshot`: running its command already counts, and so does having run it. */
  readonly isOneshot?: boolean;
  /** The unit's states before the command asked for anything: an old failure is not the answer to a new start. */
  readonly before?: readonly UnitStateEntity[];
  /** The order that must have been carried out: until then, what runs is the copy before it. */
  readonly order?: number;
  /** Of a global unit: the machine that is meant. */
  readonly machineID?: string;
}

/** What is known of the unit at one moment. */
export interface Observation {
  /** `undefined` if it does not exist. */
  readonly unit: UnitEntity | undefined;
  readonly states: readonly UnitStateEntity[];
  /** How long its states have looked exactly so. */
  readonly unchangedMs: number;
  /** The wanted copy has been seen running since the wait began. */
  readonly hasRun: boolean;
}

/** Whether the wait is over; texts are parts of a sentence. */
export type Verdict =
  | { readonly kind: 'reached'; readonly state: LaunchStateWord | 'gone' | 'somewhere'; readonly machineID?: string }
  | { readonly kind: 'failed'; readonly machineID?: string; readonly why: string }
  | { readonly kind: 'waiting'; readonly why: string };

/** A verdict that ends the wait. */
export type FinalVerdict = Exclude<Verdict, { readonly kind: 'waiting' }>;

/** How long a failure from before the command may still be what the API shows, until it counts. Taste. */
export const staleMs = 5000;
/** How long `inactive` may mean that systemd has the start in its queue, until it means that the unit has ended. Taste. */
export const queuedMs = 5000;
/** The same for a oneshot unit, which is expected to end. Taste. */
export const queuedOneshotMs = 2000;

const brokenLoadStates: ReadonlySet<string> = new Set(['bad-setting', 'error', 'masked']);
const runningStates: ReadonlySet<string> = new Set(['active', 'activating', 'deactivating', 'reloading', 'refreshing']);

/** Whether systemd has something of the unit running. */
export function isRunning(state: UnitStateEntity): boolean {
  return runningStates.has(state.systemdActiveState);
}

/** Judges one observation of a unit. Global units have one state per machine: they are judged for `somewhere` and `gone`. */
export function judge(expectation: Expectation, observation: Observation): Verdict {
  const { unit, states } = observation;
  if (expectation.goal === 'gone') {
    if (unit !== undefined) return { kind: 'waiting', why: 'it is still registered' };
    return states.length === 0
      ? { kind: 'reached', state: 'gone' }
      : { kind: 'waiting', why: `it is still ${whereabouts(states)}` };
  }
  if (unit === undefined) return { kind: 'failed', why: 'it has been destroyed meanwhile' };
  switch (expectation.goal) {
    case 'inactive':
      return judgeInactive(unit, states);
    case 'stopped':
      return judgeStopped(unit, states);
    case 'loaded':
    case 'launched':
      return judgePlaced(expectation, observation, unit);
    case 'somewhere':
      return judgeGlobal(expectation, unit, states);
  }
}

/** Whether these states end the wait if the unit itself is where it is wanted; if not, it need not be read for now. */
export function mayEnd(expectation: Expectation, seen: Omit<Observation, 'unit'>): boolean {
  return wantedUnits(expectation, seen.states).some((unit) => judge(expectation, { ...seen, unit }).kind !== 'waiting');
}

function wantedUnits({ name, goal }: Expectation, states: readonly UnitStateEntity[]): (UnitEntity | undefined)[] {
  switch (goal) {
    case 'gone':
      return [undefined];
    case 'inactive':
    case 'stopped':
      return [{ name, currentState: 'inactive', desiredState: 'inactive' }];
    case 'loaded':
    case 'launched':
      return states.map(({ machineID }) => ({ name, currentState: goal, desiredState: goal, machineID }));
    case 'somewhere':
      return [{ name, currentState: 'inactive', desiredState: 'launched' }];
  }
}

function judgeInactive(unit: UnitEntity, states: readonly UnitStateEntity[]): Verdict {
  if (unit.desiredState !== 'inactive') return overruled(unit);
  if (states.length > 0) return { kind: 'waiting', why: `it is still ${whereabouts(states)}` };
  return unit.currentState === 'inactive' ? reached(unit) : { kind: 'waiting', why: 'it is being unloaded' };
}

function judgeStopped(unit: UnitEntity, states: readonly UnitStateEntity[]): Verdict {
  if (unit.desiredState === 'launched') return overruled(unit);
  const running = states.filter(isRunning);
  if (running.length > 0) return { kind: 'waiting', why: `it is still ${whereabouts(running)}` };
  if (unit.currentState === 'launched') return { kind: 'waiting', why: 'it is being stopped' };
  return reached(unit);
}

function judgePlaced(expectation: Expectation, observation: Observation, unit: UnitEntity): Verdict {
  if (unit.desiredState === 'inactive') return overruled(unit);
  if (expectation.goal === 'launched' && unit.desiredState === 'loaded') return overruled(unit);
  const machineID = expectation.machineID ?? unit.machineID;
  if (machineID === undefined) return { kind: 'waiting', why: unit.reason ?? 'no machine has been chosen yet' };
  const state = observation.states.find((candidate) => candidate.machineID === machineID);
  const on = `on ${machineIdLabel(machineID)}`;
  if (state === undefined)
    return { kind: 'waiting', why: unit.reason ?? `it is to run ${on}, which has not loaded it yet` };
  const isStale =
    observation.unchangedMs < staleMs &&
    (expectation.before ?? []).some((old) => fingerprint([old]) === fingerprint([state]));
  const isOwed = expectation.order !== undefined && (state.order ?? 0) < expectation.order;
  if (!isStale && state.error !== undefined && (isOwed || !isRunning(state)))
    return { kind: 'failed', machineID, why: state.error };
  if (expectation.hash !== undefined && state.hash !== expectation.hash)
    return isReplaced(expectation, unit)
      ? replaced
      : { kind: 'waiting', why: `${on} is still another version of it${inTurn(state)}` };
  if (!isStale && brokenLoadStates.has(state.systemdLoadState))
    return { kind: 'failed', machineID, why: `systemd cannot load it: ${state.systemdLoadState}` };
  if (expectation.goal === 'loaded') {
    const isLoaded = unit.currentState !== 'inactive' && state.systemdLoadState === 'loaded';
    return isLoaded ? reached(unit) : { kind: 'waiting', why: `${on} it is ${words(state)}` };
  }
  if (isOwed) return { kind: 'waiting', why: `${on} it has not been restarted yet${inTurn(state)}` };
  if (expectation.machineID !== undefined)
    return judgeStarted(
      { unit: { ...unit, currentState: 'launched', machineID }, state, isStale },
      expectation,
      observation,
    );
  if (unit.currentState !== 'launched') return { kind: 'waiting', why: `${on} it has not been started yet` };
  return judgeStarted({ unit, state, isStale }, expectation, observation);
}

function judgeGlobal(expectation: Expectation, unit: UnitEntity, states: readonly UnitStateEntity[]): Verdict {
  const { hash } = expectation;
  if (unit.desiredState === 'inactive') return overruled(unit);
  if (states.some((state) => hash === undefined || state.hash === hash)) return { kind: 'reached', state: 'somewhere' };
  if (states.length > 0 && isReplaced(expectation, unit)) return replaced;
  return { kind: 'waiting', why: unit.reason ?? 'no machine has loaded it yet' };
}

function judgeStarted(
  { unit, state, isStale }: { readonly unit: UnitEntity; readonly state: UnitStateEntity; readonly isStale: boolean },
  { isOneshot = false }: Expectation,
  { unchangedMs, hasRun }: Observation,
): Verdict {
  const { machineID } = state;
  const waiting: Verdict = { kind: 'waiting', why: `on ${machineIdLabel(machineID)} it is ${words(state)}` };
  switch (state.systemdActiveState) {
    case 'active':
    case 'reloading':
    case 'refreshing':
      return reached(unit);
    case 'activating':
      return isOneshot && state.systemdSubState !== 'auto-restart' ? reached(unit) : waiting;
    case 'failed':
      return isStale ? waiting : { kind: 'failed', machineID, why: `systemd says ${words(state)}` };
    case 'inactive': {
      const hasEnded = hasRun || unchangedMs >= (isOneshot ? queuedOneshotMs : queuedMs);
      return hasEnded && !isStale ? reached(unit) : waiting;
    }
    default:
      return waiting;
  }
}

/** Two looks at a unit's states are the same if this is. */
export function fingerprint(states: readonly UnitStateEntity[]): string {
  return JSON.stringify(
    states.map((state) => [
      state.machineID,
      state.systemdLoadState,
      state.systemdActiveState,
      state.systemdSubState,
      state.hash,
      state.since,
      state.error,
      state.order,
    ]),
  );
}

function reached({ currentState: state, machineID }: UnitEntity): Verdict {
  return machineID === undefined ? { kind: 'reached', state } : { kind: 'reached', state, machineID };
}

function overruled(unit: UnitEntity): Verdict {
  return { kind: 'failed', why: `somebody else has asked for ${unit.desiredState} meanwhile` };
}

const replaced: Verdict = { kind: 'failed', why: 'somebody else has replaced it meanwhile' };

/** Whether the registry has other content by now. One that was not read has no options. */
function isReplaced({ hash }: Expectation, unit: UnitEntity): boolean {
  return unit.options !== undefined && hashUnitFile(storedFile(unit)) !== hash;
}

function whereabouts(states: readonly UnitStateEntity[]): string {
  return states.map(whereabout).join(', ');
}

/** What keeps a machine from doing as it was told is the reason why the wait is not over. */
function whereabout(state: UnitStateEntity): string {
  const trouble = state.error === undefined ? '' : `: ${state.error}`;
  return `${words(state)} on ${machineIdLabel(state.machineID)}${trouble}`;
}

/** What is new reaches one copy after the other. */
function inTurn({ waitsFor }: UnitStateEntity): string {
  return waitsFor === 'turn' ? ', until it is its turn (Update=rolling)' : '';
}

function words(state: UnitStateEntity): string {
  const load = state.systemdLoadState === 'loaded' ? '' : `${state.systemdLoadState}, `;
  return `${load}${state.systemdActiveState} (${state.systemdSubState})`;
}
