import type { UnitEntity, UnitStateEntity } from '@flotilla/schema';
import { unitNameParts } from '@flotilla/unit';
import { machineIdLabel } from './machine-label.js';
import type { ChosenUnit } from './selection.js';
import { isGlobalUnit, isOneshotFile, storedContent } from './unit-content.js';
import { type Expectation, isRunning } from './verdict.js';

/** One order to restart, and how to tell that it was carried out. */
export interface RestartStep {
  readonly name: string;
  /** The one machine that is meant; `undefined`: wherever the unit is. */
  readonly machineID: string | undefined;
  readonly expectation: Expectation;
  /** It runs although the cluster has not started it, and is stopped first: the cluster would take over what runs. */
  readonly isStray: boolean;
}

/** What becomes of one unit of the command. */
export type RestartPlan =
  /** `steps` go one after the other with those of all units with the same `turn`; without one, at once. */
  | { readonly kind: 'restart'; readonly turn: string | undefined; readonly steps: readonly RestartStep[] }
  /** A global unit, on all machines at once. */
  | { readonly kind: 'everywhere'; readonly name: string; readonly expectation: Expectation }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'skipped' };

/** What a plan depends on. */
export interface RestartFacts {
  readonly unit: UnitEntity | undefined;
  readonly states: readonly UnitStateEntity[];
  /** The machines that the command is about; `undefined`: all. */
  readonly machines: ReadonlySet<string> | undefined;
  /** Nobody waits for one restart before the next. */
  readonly isAtOnce: boolean;
}

/** Decides how to restart one unit. What was matched and not named may be left out without a word. */
export function planRestart({ name, path, isMatched }: ChosenUnit, facts: RestartFacts): RestartPlan {
  const { unit, machines } = facts;
  const refuse = (why: string): RestartPlan => (isMatched ? { kind: 'skipped' } : { kind: 'refused', why });
  const { isTemplate, template } = unitNameParts(name);
  if (isTemplate)
    return refuse(`Error: template ${name} does not run; restart its instances, like ${name.replace('@.', '@*.')}`);
  if (unit === undefined)
    return { kind: 'refused', why: `Unit ${name} is not registered; fleetctl start ${path} registers and starts it` };
  if (unit.desiredState === 'inactive')
    return refuse(`Unable to restart unit ${name} in state inactive\nfleetctl start ${name} starts it`);
  if (isGlobalUnit(unit)) return planGlobal(unit, facts, refuse);
  const { machineID } = unit;
  if (machines !== undefined && (machineID === undefined || !machines.has(machineID)))
    return refuse(
      `Unit ${name} is not on that machine, but ${machineID === undefined ? 'on none' : `on ${machineIdLabel(machineID)}`}`,
    );
  const step = stepOf(unit, facts, machines === undefined ? undefined : machineID);
  return { kind: 'restart', turn: template, steps: [step] };
}

function planGlobal(unit: UnitEntity, facts: RestartFacts, refuse: (why: string) => RestartPlan): RestartPlan {
  const { states, machines, isAtOnce } = facts;
  const { name, desiredState } = unit;
  if (machines !== undefined && desiredState === 'loaded')
    return refuse(`Unit ${name} is stopped everywhere; without --machine it is started on all machines`);
  if (desiredState === 'loaded' || states.length === 0 || (isAtOnce && machines === undefined)) {
    if (machines !== undefined) return refuse(`Unit ${name} is on no machine`);
    return { kind: 'everywhere', name, expectation: { name, goal: 'launched', hash: storedContent(unit).hash } };
  }
  const there = states.map(({ machineID }) => machineID).filter((id) => machines === undefined || machines.has(id));
  const missing = [...(machines ?? [])].filter((id) => !there.includes(id));
  if (missing.length > 0) return refuse(`Unit ${name} is not on ${missing.map((id) => machineIdLabel(id)).join(', ')}`);
  return { kind: 'restart', turn: name, steps: there.map((machineID) => stepOf(unit, facts, machineID)) };
}

function stepOf(unit: UnitEntity, { states }: RestartFacts, machineID: string | undefined): RestartStep {
  const { name, desiredState } = unit;
  const { hash, file } = storedContent(unit);
  const before = states.filter((state) => machineID === undefined || state.machineID === machineID);
  const on = isGlobalUnit(unit) && machineID !== undefined ? { machineID } : {};
  const expectation: Expectation = { name, goal: 'launched', hash, isOneshot: isOneshotFile(file), before, ...on };
  return { name, machineID, expectation, isStray: desiredState === 'loaded' && before.some(isRunning) };
}
