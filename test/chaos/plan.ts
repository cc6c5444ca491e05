import { type Chance, createChance } from './chance.js';
import { chaosUnits, type Version, versions } from './units.js';

export const faultKinds = [
  'fleetd-kill',
  'fleetd-restart',
  'fleetd-freeze',
  'network-cut',
  'power-cut',
  'power-off',
  'leave',
  'dbus-kill',
  'daemon-reexec',
  'daemon-reload',
  'member-kill',
  'member-freeze',
  'store-stop',
  'unit-kill',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Something that is done to the cluster; it is over after `forMs`. */
export interface Fault {
  readonly what: 'fault';
  readonly kind: FaultKind;
  /** From the start of the round. */
  readonly atMs: number;
  readonly forMs: number;
  /** `host-2`, `leader` (the host of the leader at that time), `etcd-1`, `store`, or a unit's name. */
  readonly target: string;
}

export type DesiredState = 'inactive' | 'loaded' | 'launched';

/**
 * What a client asks for: content and state; the same as `fleetctl start --replace` does, which overlooks comments; a
 * state; that there be no such unit.
 */
export type Wish =
  | { readonly verb: 'put'; readonly version: Version; readonly state: DesiredState }
  | { readonly verb: 'run'; readonly version: Version }
  | { readonly verb: 'ask'; readonly state: DesiredState }
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
    const faults = [...hostLane(round), ...memberLane(round), ...lightLane(round), ...(isHard ? hardFault(round) : [])];
    const operations = [...(index === 0 ? prologue(round) : []), ...operationLane(round)];
    const events = [...faults, ...operations].sort((one, other) => one.atMs - other.atMs);
    return { lengthMs, isHard, events };
  });
}

interface RoundOptions {
  readonly chance: Chance;
  readonly lengthMs: number;
  readonly hosts: readonly string[];
  readonly members: readonly string[];
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

/** How long a fault lasts: shorter and longer than the 5 s after which a host is missed, and its units move at 9 s. */
const durations: Partial<Record<FaultKind, readonly (readonly [from: number, to: number])[]>> = {
  'fleetd-freeze': [
    [500, 3_500],
    [6_000, 16_000],
    [34_000, 36_000],
  ],
  'network-cut': [
    [500, 3_500],
    [6_000, 16_000],
  ],
  'power-cut': [
    [500, 2_000],
    [10_000, 14_000],
  ],
  'power-off': [
    [500, 2_000],
    [10_000, 14_000],
  ],
  leave: [[1_000, 8_000]],
  'member-kill': [[500, 12_000]],
  'member-freeze': [
    [500, 4_000],
    [5_000, 15_000],
  ],
  'store-stop': [
    [1_000, 4_000],
    [8_000, 15_000],
  ],
};

function fault(round: RoundOptions, kind: FaultKind, atMs: number, target: string): Fault {
  const ranges = durations[kind];
  const [from, to] = ranges === undefined ? [0, 0] : round.chance.pick(ranges);
  return { what: 'fault', kind, atMs, forMs: round.chance.between(from, to), target };
}

const hostFaults = [
  'fleetd-freeze',
  'network-cut',
  'power-cut',
  'power-off',
  'fleetd-freeze',
  'network-cut',
  'leave',
] as const;

/** One host at a time is out of contact, or down. */
function hostLane(round: RoundOptions): Fault[] {
  const { chance, hosts } = round;
  return lane(round, { first: [500, 3_000], gap: [1_500, 7_000] }, (atMs) =>
    fault(round, chance.pick(hostFaults), atMs, chance.oneIn(4) ? 'leader' : chance.pick(hosts)),
  );
}

/** One member at a time. */
function memberLane(round: RoundOptions): Fault[] {
  const { chance, members } = round;
  if (members.length < 3) return [];
  return lane(round, { first: [2_000, 12_000], gap: [4_000, 12_000] }, (atMs) =>
    fault(round, chance.pick(['member-kill', 'member-freeze']), atMs, chance.pick(members)),
  );
}

const lightFaults = [
  'fleetd-kill',
  'fleetd-kill',
  'fleetd-restart',
  'dbus-kill',
  'daemon-reexec',
  'daemon-reload',
] as const;

/** What hits at once and is over: also what is already hit otherwise. */
function lightLane(round: RoundOptions): Fault[] {
  const { chance, hosts } = round;
  return lane(round, { first: [300, 3_000], gap: [1_000, 6_000] }, (atMs) => {
    if (chance.oneIn(3)) return fault(round, 'unit-kill', atMs, chance.pick(chaosUnits).name);
    return fault(round, chance.pick(lightFaults), atMs, chance.oneIn(4) ? 'leader' : chance.pick(hosts));
  });
}

/** Two hosts or all members at once, on top of what else is the matter. */
function hardFault(round: RoundOptions): Fault[] {
  const { chance, lengthMs, hosts, members } = round;
  const atMs = chance.between(lengthMs / 8, lengthMs / 2);
  if (chance.oneIn(2)) return [fault(round, 'store-stop', atMs, 'store')];
  if (chance.oneIn(2) && members.length > 2)
    return chance.some(members, members.length - 1).map((member) => fault(round, 'member-freeze', atMs, member));
  const kind = chance.pick(['network-cut', 'power-cut', 'fleetd-freeze'] as const);
  return chance.some(hosts, Math.max(1, hosts.length - 1)).map((host) => fault(round, kind, atMs, host));
}

interface Pace {
  readonly first: readonly [from: number, to: number];
  /** From the end of one fault to the start of the next. */
  readonly gap: readonly [from: number, to: number];
}

function lane({ chance, lengthMs }: RoundOptions, { first, gap }: Pace, next: (atMs: number) => Fault): Fault[] {
  const faults: Fault[] = [];
  for (let atMs = chance.between(...first); atMs < lengthMs; ) {
    const made = next(atMs);
    // What would outlast the round is cut short.
    faults.push({ ...made, forMs: Math.min(made.forMs, Math.max(0, lengthMs - atMs)) });
    atMs += made.forMs + chance.between(...gap);
  }
  return faults;
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

function wish(chance: Chance): Wish {
  const version = chance.pick(versions);
  switch (chance.below(8)) {
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
      return chance.oneIn(2) ? { verb: 'put', version, state: 'launched' } : { verb: 'run', version };
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
