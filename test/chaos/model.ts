import type { DesiredState, Wish } from './plan.js';
import { contentOf, type Version } from './units.js';

/** What the registry may hold of a unit: `undefined` is nothing. */
export type Registered = { readonly version: Version; readonly state: DesiredState } | undefined;

/**
 * What a client knows of its operation. `done`: it was carried out; `not-done`: it was not; `uncertain`: it may have been,
 * or may yet be; `missing`: there was no such unit, or none that may be restarted.
 */
export type Outcome = 'done' | 'not-done' | 'uncertain' | 'missing';

/** One way in which things may have come about: what is registered, and which uncertain operations have been done. */
interface World {
  readonly registered: Registered;
  readonly landed: ReadonlySet<Wish>;
}

/** All that the answers to one client leave possible, for each of its units. */
export class ClientModel {
  readonly #worlds = new Map<string, readonly World[]>();
  /** Operations without an answer: a daemon that was frozen may carry them out long after. */
  readonly #adrift = new Map<string, readonly Wish[]>();

  /** Takes in one operation and its outcome, in the order of a unit's operations. @returns What is wrong with that outcome. */
  note(unit: string, wish: Wish, outcome: Outcome): string | undefined {
    if (outcome === 'uncertain') this.#adrift.set(unit, [...(this.#adrift.get(unit) ?? []), wish]);
    const before = this.#spread(unit, this.#worlds.get(unit) ?? [unregistered]);
    const after = before.flatMap((world) => follow(world, wish, outcome));
    const isPossible = after.length > 0;
    this.#worlds.set(unit, this.#spread(unit, isPossible ? after : before));
    if (isPossible) return undefined;
    return `${unit}: "${outcome}" is no answer to ${describeWish(wish)}, as it is ${describeAll(before)}`;
  }

  /** All that may be registered of a unit. */
  possible(unit: string): readonly Registered[] {
    const worlds = this.#spread(unit, this.#worlds.get(unit) ?? [unregistered]);
    return [...new Map(worlds.map(({ registered }) => [describe(registered), registered])).values()];
  }

  /** It was seen what is registered, when nothing was under way any more. */
  settle(unit: string, registered: Registered): void {
    this.#adrift.delete(unit);
    this.#worlds.set(unit, [{ registered, landed: new Set() }]);
  }

  /** Each world, and what those operations that are adrift may make of it, in any order. */
  #spread(unit: string, worlds: readonly World[]): readonly World[] {
    const adrift = this.#adrift.get(unit) ?? [];
    const found = new Map<string, World>();
    const visit = (world: World) => {
      const landed = adrift.map((wish) => (world.landed.has(wish) ? '1' : '0')).join('');
      const key = `${describe(world.registered)} ${landed}`;
      if (found.has(key)) return;
      found.set(key, world);
      for (const wish of adrift) {
        if (world.landed.has(wish)) continue;
        visit({ registered: carryOut(world.registered, wish), landed: new Set([...world.landed, wish]) });
      }
    };
    for (const world of worlds) visit(world);
    return [...found.values()];
  }
}

const unregistered: World = { registered: undefined, landed: new Set() };

function follow(world: World, wish: Wish, outcome: Outcome): World[] {
  const { registered } = world;
  const isMissing = !canCarryOut(registered, wish);
  if (outcome === 'not-done' || outcome === 'uncertain') return [world];
  if (outcome === 'missing') return isMissing ? [world] : [];
  return isMissing ? [] : [{ ...world, registered: carryOut(registered, wish) }];
}

function canCarryOut(registered: Registered, { verb }: Wish): boolean {
  if (verb === 'restart') return registered !== undefined && registered.state !== 'inactive';
  return registered !== undefined || verb === 'put' || verb === 'run';
}

function carryOut(registered: Registered, wish: Wish): Registered {
  switch (wish.verb) {
    case 'put':
      return { version: wish.version, state: wish.state };
    case 'run': {
      const isSame = registered !== undefined && contentOf(registered.version) === contentOf(wish.version);
      return { version: isSame ? registered.version : wish.version, state: 'launched' };
    }
    case 'ask':
      return registered && { ...registered, state: wish.state };
    case 'restart':
      return canCarryOut(registered, wish) && registered ? { ...registered, state: 'launched' } : registered;
    case 'delete':
      return undefined;
  }
}

export function describe(registered: Registered): string {
  return registered === undefined ? 'unknown' : `version ${registered.version}, ${registered.state}`;
}

export function describeWish(wish: Wish): string {
  if (wish.verb === 'delete') return 'destroy';
  if (wish.verb === 'restart') return 'restart';
  if (wish.verb === 'run') return `start --replace, version ${wish.version}`;
  return wish.verb === 'ask' ? wish.state : `version ${wish.version}, ${wish.state}`;
}

function describeAll(worlds: readonly World[]): string {
  return [...new Set(worlds.map(({ registered }) => describe(registered)))].join(' or ');
}
