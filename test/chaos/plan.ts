import { type Chance, createChance } from './chance.js';
import { type Fault, hardFaults, ordinaryFaults, type RoundOptions } from './fault-plan.js';
import { chaosUnits, type Version, versions } from './units.js';

export type DesiredState = 'inactive' | 'loaded' | 'launched';

/**
 * What a client asks for: content and state; the same as `fleetctl start --replace` does, which overlooks comments; a
 * state; a restart, which is refused of a unit that is inactive; that there be no such unit.
 */
export type Wish =
  | { readonly verb: 'put'; readonly version: Version; readonly state: DesiredState }
  | { readonly verb: 'run'; readonly version: Version }
  | { readonly verb: 'ask'; readonly state: DesiredState }
  | { readonly verb: 'restart' }
  | { readonly verb: 'delete' };

/** Something that a client asks of one host's fleetd. */
export interface Operation {
  readonly what: 'operation';
  readonly atMs: number;
  readonly client: number;
  readonly host: string;
  readonly via: 'api' | 'fleetctl';
  readonly unit: string;
  readonly wish: Wish;
}

export type ChaosEvent = Fault | Operation;

/** Events by time; afterwards all is healed, and checked. */
export interface Round {
  readonly lengthMs: number;
  /** A majority of hosts or members is hit at once. */
  readonly isHard: boolean;
  readonly events: readonly ChaosEvent[];
}

export interface PlanOptions {
  readonly seed: number;
  readonly minutes: number;
  /** @default 3 */
  readonly hosts?: number;
  /** @default 3 */
  readonly members?: number;
}

/** One client each of these shares of the units, so that each knows what it has asked for last. */
export const clients = 2;
const roundMs = 40_000;

/** A round a minute: 40 s of events, and what it takes to heal and to look. The same again for the same options. */
export function plan({ seed, minutes, hosts = 3, members = 3 }: PlanOptions): Round[] {
  const chance = createChance(seed);
  const names = { hosts: numbered('host', hosts), members: numbered('etcd', members) };
  const lengthMs = Math.min(roundMs, Math.max(5_000, Math.round(minutes * roundMs)));
  return Array.from({ length: Math.max(1, Math.round(minutes)) }, (_, index) => {
    const isHard = index > 0 && chance.oneIn(5);
    const round = { chance, lengthMs, ...names };
    const faults = [...ordinaryFaults(round), ...(isHard ? hardFaults(round) : [])];
    const operations = [...(index === 0 ? prologue(round) : []), ...operationLane(round)];
    const events = [...faults, ...operations].sort((one, other) => one.atMs - other.atMs);
    return { lengthMs, isHard, events };
  });
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

/** Everything is started once. */
function prologue(round: RoundOptions): Operation[] {
  return chaosUnits.map(({ name }, index) =>
    operation(round, { atMs: index * 20, unit: name, wish: { verb: 'put', version: 0, state: 'launched' } }),
  );
}

/** About half of the units are operated on in a round: nothing but faults may touch the others. */
function operationLane(round: RoundOptions): Operation[] {
  const { chance, lengthMs } = round;
  const names = chance.some(
    chaosUnits.map(({ name }) => name),
    Math.ceil(chaosUnits.length / 2),
  );
  const operations: Operation[] = [];
  for (let atMs = 2_000; atMs < lengthMs; atMs += chance.between(200, 2_000))
    operations.push(operation(round, { atMs, unit: chance.pick(names), wish: wish(chance) }));
  return operations;
}

/** More starts than stops and ends: what does not run tells little. */
function wish(chance: Chance): Wish {
  const version = chance.pick(versions);
  switch (chance.below(12)) {
    case 0:
      return { verb: 'delete' };
    case 1:
      return { verb: 'ask', state: 'inactive' };
    case 2:
    case 3:
      return { verb: 'ask', state: 'loaded' };
    case 4:
      return { verb: 'put', version, state: chance.pick(['inactive', 'loaded', 'launched']) };
    case 5:
    case 6:
      return { verb: 'run', version };
    case 7:
    case 8:
      return { verb: 'put', version, state: 'launched' };
    case 9:
      return { verb: 'restart' };
    default:
      return { verb: 'ask', state: 'launched' };
  }
}

function operation(
  { chance, hosts }: RoundOptions,
  { atMs, unit, wish: wanted }: Pick<Operation, 'atMs' | 'unit' | 'wish'>,
): Operation {
  const via = wanted.verb === 'run' || (wanted.verb === 'delete' && chance.oneIn(2)) ? 'fleetctl' : 'api';
  const client = chaosUnits.findIndex(({ name }) => name === unit) % clients;
  return { what: 'operation', atMs, client, host: chance.pick(hosts), via, unit, wish: wanted };
}
