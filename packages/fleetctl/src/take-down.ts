import type { LaunchStateWord, UnitEntity } from '@flotilla/schema';
import { type Change, changeUnits } from './changes.js';
import type { Context } from './context.js';
import { Follow } from './follow.js';
import { type ChosenUnit, selectUnits } from './selection.js';
import { parseUnitArguments } from './unit-arguments.js';
import { isGlobalUnit } from './unit-content.js';
import { type Goal, isRunning } from './verdict.js';

/** Commands that take units down but keep them registered. */
export type LoweringVerb = 'stop' | 'unload';

/** What `stop`, `unload` and `destroy` are asked to do. */
export interface TakeDownRequest {
  readonly units: readonly string[];
  /** As in {@link Follow}. */
  readonly limitMs: number | undefined;
}

interface Lowering {
  readonly state: LaunchStateWord;
  readonly goal: Goal;
  readonly doing: string;
  readonly done: string;
}

const lowerings: Readonly<Record<LoweringVerb, Lowering>> = {
  stop: { state: 'loaded', goal: 'stopped', doing: 'stopping', done: 'stopped' },
  unload: { state: 'inactive', goal: 'inactive', doing: 'unloading', done: 'unloaded' },
};

/** Stops or unloads units and waits until they are. Decides on the desired state: a unit that waits is lowered too. */
export async function lower(
  context: Context,
  request: TakeDownRequest & { readonly verb: LoweringVerb },
): Promise<number> {
  const { client, reader, screen } = context;
  const { verb, units, limitMs } = request;
  const { state, goal, doing, done } = lowerings[verb];
  const follow = new Follow(context, { verb, limitMs });
  const chosen = await choose(context, units, follow);
  const stored = await reader.units(chosen.map(({ name }) => name));
  const isStopped = await findStopped(context, verb, [...stored.values()]);
  const plan = async ({ name, isMatched }: ChosenUnit): Promise<Change | undefined> => {
    const unit = stored.get(name);
    if (unit === undefined) {
      follow.fail(`Unit ${name} does not exist.`);
    } else if (verb === 'stop' && unit.desiredState === 'inactive') {
      if (!isMatched) follow.fail(`Unable to stop unit ${name} in state inactive`);
    } else if (!isLowered(unit, state) || !isStopped(name) || !isMatched) {
      return {
        name,
        ...((!isLowered(unit, state) || !isStopped(name)) && {
          operation: { op: 'put', unit: { name, desiredState: state } },
        }),
        settle: () => follow.add({ name, goal }, { isGlobal: isGlobalUnit(unit) }),
      };
    }
    return undefined;
  };
  await changeUnits(client, { units: chosen, follow, doing, plan });
  return follow.finish(chosen, (names) => screen.out(`Successfully ${done} units [${names.join(' ')}].`));
}

/**
 * Tells of units that are to be stopped already whether they are: a person may have started one on its host, or another unit. Who
 * asks for it to be stopped means that, too.
 */
async function findStopped({ reader }: Context, verb: LoweringVerb, units: readonly UnitEntity[]) {
  const loaded = units.filter(({ desiredState }) => verb === 'stop' && desiredState === 'loaded');
  if (loaded.length === 0) return () => true;
  const states = await reader.states(loaded.map(({ name }) => name));
  return (name: string) => !(states.get(name) ?? []).some(isRunning);
}

function isLowered({ desiredState }: UnitEntity, state: LaunchStateWord): boolean {
  return desiredState === state || desiredState === 'inactive';
}

/** Destroys units and waits until no machine has any of them. */
export async function destroy(context: Context, { units, limitMs }: TakeDownRequest): Promise<number> {
  const follow = new Follow(context, { verb: 'destroy', limitMs: limitMs ?? 0 });
  const chosen = await choose(context, units, follow);
  const plan = async ({ name, isMatched }: ChosenUnit): Promise<Change> => ({
    name,
    operation: { op: 'delete', name },
    settle(outcome) {
      if (outcome === 'absent' && !isMatched) follow.fail(`Unit ${name} does not exist.`);
      else if (limitMs === undefined) context.screen.out(`Destroyed ${name}`);
      else follow.add({ name, goal: 'gone' }, { isGlobal: false });
    },
  });
  await changeUnits(context.client, { units: chosen, follow, doing: 'destroying', plan });
  return follow.finish(chosen);
}

async function choose(context: Context, units: readonly string[], follow: Follow): Promise<readonly ChosenUnit[]> {
  const selection = await selectUnits(context.client, parseUnitArguments(units), { withTemplates: true });
  for (const pattern of selection.unmatched) follow.fail(`no unit in the registry matches ${pattern}`);
  return selection.units;
}
