import type { Chance } from './chance.js';
import { chaosUnits } from './units.js';

type Range = readonly [from: number, to: number];

/** Shorter and longer than the 5 s after which a host is missed; its units move after 9 s. */
const blinkOrLoss: readonly Range[] = [
  [500, 3_500],
  [6_000, 16_000],
];
const reboot: readonly Range[] = [
  [500, 2_000],
  [10_000, 14_000],
];
const instant: readonly Range[] = [[0, 0]];

/** How long each kind of fault lasts: one of these ranges, in milliseconds. */
const durations = {
  'fleetd-kill': instant,
  'fleetd-restart': instant,
  /** The last one outlasts `WatchdogSec=`. */
  'fleetd-freeze': [...blinkOrLoss, [34_000, 36_000]],
  'network-cut': blinkOrLoss,
  'network-silence': blinkOrLoss,
  'network-refusal': blinkOrLoss,
  'power-cut': reboot,
  'power-off': reboot,
  leave: [[1_000, 8_000]],
  'dbus-kill': instant,
  'daemon-reexec': instant,
  'daemon-reload': instant,
  'member-kill': [[500, 12_000]],
  'member-freeze': blinkOrLoss,
  'member-cut': blinkOrLoss,
  'member-part': blinkOrLoss,
  'store-stop': [
    [1_000, 4_000],
    [8_000, 15_000],
  ],
  'unit-kill': instant,
} as const satisfies Record<string, readonly Range[]>;

export type FaultKind = keyof typeof durations;
export const faultKinds = Object.keys(durations).sort();

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

export interface RoundOptions {
  readonly chance: Chance;
  readonly lengthMs: number;
  readonly hosts: readonly string[];
  readonly members: readonly string[];
}

const cuts = ['network-cut', 'network-silence', 'network-refusal'] as const;
const hostFaults = ['fleetd-freeze', 'fleetd-freeze', ...cuts, 'power-cut', 'power-off', 'leave'] as const;
const memberFaults = ['member-kill', 'member-freeze', 'member-cut', 'member-part'] as const;
const blows = ['fleetd-kill', 'fleetd-kill', 'fleetd-restart', 'dbus-kill', 'daemon-reexec', 'daemon-reload'] as const;

/** One host and one member at a time are out of contact or down, and what hits at once hits anything. */
export function ordinaryFaults(round: RoundOptions): Fault[] {
  const { chance, hosts, members } = round;
  const anyHost = () => (chance.oneIn(4) ? 'leader' : chance.pick(hosts));
  const onHosts = lane(round, { first: [500, 3_000], gap: [1_500, 7_000] }, (atMs) =>
    fault(round, chance.pick(hostFaults), atMs, anyHost()),
  );
  const hasSpare = members.length > 2;
  const onMembers = lane(round, { first: [2_000, 12_000], gap: [4_000, 12_000] }, (atMs) =>
    hasSpare ? fault(round, chance.pick(memberFaults), atMs, chance.pick(members)) : undefined,
  );
  const light = lane(round, { first: [300, 3_000], gap: [1_000, 6_000] }, (atMs) => {
    if (chance.oneIn(3)) return fault(round, 'unit-kill', atMs, chance.pick(chaosUnits).name);
    return fault(round, chance.pick(blows), atMs, anyHost());
  });
  return [...onHosts, ...onMembers, ...light];
}

/** A majority of hosts or members, or all members at once, on top of what else is the matter. */
export function hardFaults(round: RoundOptions): Fault[] {
  const { chance, lengthMs, hosts, members } = round;
  const atMs = chance.between(lengthMs / 8, lengthMs / 2);
  if (chance.oneIn(2)) return [fault(round, 'store-stop', atMs, 'store')];
  if (chance.oneIn(2) && members.length > 2) {
    const kind = chance.pick(memberFaults);
    return chance.some(members, members.length - 1).map((member) => fault(round, kind, atMs, member));
  }
  const kind = chance.pick([...cuts, 'power-cut', 'fleetd-freeze'] as const);
  return chance.some(hosts, Math.max(1, hosts.length - 1)).map((host) => fault(round, kind, atMs, host));
}

function fault({ chance, lengthMs }: RoundOptions, kind: FaultKind, atMs: number, target: string): Fault {
  const forMs = chance.between(...chance.pick<Range>(durations[kind]));
  // What would outlast the round is cut short.
  return { what: 'fault', kind, atMs, forMs: Math.min(forMs, Math.max(0, lengthMs - atMs)), target };
}

interface Pace {
  readonly first: Range;
  /** From the end of one fault to the start of the next. */
  readonly gap: Range;
}

function lane(
  { chance, lengthMs }: RoundOptions,
  { first, gap }: Pace,
  next: (atMs: number) => Fault | undefined,
): Fault[] {
  const faults: Fault[] = [];
  for (let atMs = chance.between(...first); atMs < lengthMs; atMs += chance.between(...gap)) {
    const made = next(atMs);
    if (made === undefined) return [];
    faults.push(made);
    atMs += made.forMs;
  }
  return faults;
}
