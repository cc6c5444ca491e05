import {
  type Cluster,
  type LaunchState,
  type Machine,
  type Placement,
  parseMachineId,
  type Unit,
} from '@flotilla/cluster';
import {
  parseRequirements,
  parseUnitFile,
  parseUnitName,
  type Strategy,
  type UnitHash,
  type UnitName,
} from '@flotilla/unit';
import { schedule } from './schedule.js';

/** Short for tests. */
export const name = parseUnitName;
export const id = parseMachineId;

/** A unit with `fleet` in its `[X-Fleet]` section, made at revision `createdAt`. */
export function unit(text: string, { desired = 'launched' as LaunchState, fleet = '', createdAt = 1 } = {}): Unit {
  const unitName = name(text);
  const requirements = parseRequirements({ name: unitName, file: parseUnitFile(`[X-Fleet]\n${fleet}\n`) });
  return { name: unitName, hash: '' as UnitHash, desiredState: desired, requirements, createdAt };
}

export function machine(text: string, { metadata = {}, isClosed = false, maxUnits }: MachineTraits = {}): Machine {
  return { id: id(text), metadata: new Map(Object.entries(metadata)), isClosed, maxUnits };
}

interface MachineTraits {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly isClosed?: boolean;
  readonly maxUnits?: number;
}

/** A cluster in short: what is left out is not there. Of two placements the one that is named first is the earlier one. */
export interface Given {
  readonly units?: readonly Unit[];
  readonly machines?: readonly Machine[];
  readonly placements?: Readonly<Record<string, string>>;
  readonly leaving?: Readonly<Record<string, string>>;
  /** Units that may still be up on a machine that is gone. */
  readonly stopping?: Readonly<Record<string, string>>;
  readonly strategy?: Strategy;
  readonly unreadable?: { readonly units?: readonly string[]; readonly machines?: readonly string[] };
}

export function cluster({
  units = [],
  machines = [],
  placements = {},
  leaving = {},
  stopping = {},
  strategy = 'spread',
  unreadable = {},
}: Given): Cluster {
  return {
    units: new Map(units.map((each) => [each.name, each])),
    machines: new Map(machines.map((each) => [each.id, each])),
    placements: new Map(
      Object.entries(placements).map(([unitName, on], index): [UnitName, Placement] => [
        name(unitName),
        { machine: id(on), since: index + 1 },
      ]),
    ),
    leaving: new Map(Object.entries(leaving).map(([unitName, on]) => [name(unitName), new Set([id(on)])])),
    away: new Set(),
    stopping: new Map(
      Object.entries(stopping).map(([unitName, on]) => [name(unitName), { machine: id(on), untilMs: 1_000 }]),
    ),
    strategy,
    unreadable: {
      units: new Set(unreadable.units?.map(name)),
      machines: new Set(unreadable.machines?.map(id)),
    },
  };
}

/** Decisions as `unit > machine` and `unit < machine (reason)`. */
export function decided(given: Given): string[] {
  return schedule(cluster(given)).decisions.map((decision) =>
    decision.kind === 'schedule'
      ? `${decision.unit} > ${decision.machine}`
      : `${decision.unit} < ${decision.machine} (${decision.why.kind})`,
  );
}
