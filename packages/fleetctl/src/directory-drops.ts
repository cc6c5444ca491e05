import type { DirectoryDetailEntity, DirectoryUnitEntity, UnitEntity } from '@flotilla/schema';
import { heldReason, nameSome } from './directory-notes.js';
import { type HoldingHost, hostLabel } from './directory-rows.js';
import { countUnits } from './losses.js';
import { isGlobalUnit } from './unit-content.js';

export interface DropOptions {
  /** Those that are registered, by name. */
  readonly units: ReadonlyMap<string, UnitEntity>;
  /** What a machine is called. */
  readonly label: (id: string) => string;
}

/** What becomes of the units that hosts hold back, if that is confirmed: what hurts comes last. */
export function describeDrops(
  { name, unitList }: DirectoryDetailEntity,
  holding: readonly HoldingHost[],
  options: DropOptions,
): string[] {
  const hosts = holding.map((host) => {
    const lost = host.isLost === true ? '; it is not in the cluster, and goes on when it is back' : '';
    return `${hostLabel(host)} gives up ${countUnits(host.held.count)} of ${name}: ${heldReason(host.held.why)}${lost}`;
  });
  const heldBy = new Map(holding.map(({ claimant, held }) => [claimant, new Set(held.units)]));
  const affected = unitList.filter(({ name: unit }) => [...heldBy.values()].some((units) => units.has(unit)));
  const fates = affected.map((unit) => ({ name: unit.name, fate: fateOf(unit) }));
  const named = (fate: Fate) => fates.filter((each) => each.fate === fate).map((each) => each.name);
  const unnamed = Math.max(0, ...holding.map(({ held }) => held.count - held.units.length));
  return [
    ...hosts,
    ...line(', as other hosts have them', named('kept')),
    ...line(`, as they do not belong to ${name}`, named('foreign')),
    ...[...byPlace(named('destroyed'), options)].map(
      ([place, names]) => `  destroyed${place}, ${names.length}: ${names.join(' ')}`,
    ),
    ...(unnamed === 0 ? [] : [`  destroyed or kept in the same way: ${unnamed} more`]),
  ];

  function fateOf({ name: unit, claimants }: DirectoryUnitEntity): Fate {
    if (options.units.get(unit)?.owner !== name) return 'foreign';
    return claimants.some(({ claimant }) => heldBy.get(claimant)?.has(unit) !== true) ? 'kept' : 'destroyed';
  }
}

type Fate = 'kept' | 'foreign' | 'destroyed';

function line(why: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`  kept${why}, ${names.length}: ${nameSome(names)}`];
}

/** Names by where they are: ` on 8f2d1c6a.../10.0.0.1`. */
function byPlace(names: readonly string[], { units, label }: DropOptions): Map<string, string[]> {
  const places = new Map<string, string[]>();
  for (const name of names) {
    const unit = units.get(name);
    const place = unit === undefined ? '' : placeOf(unit, label);
    places.set(place, [...(places.get(place) ?? []), name]);
  }
  return places;
}

function placeOf(unit: UnitEntity, label: DropOptions['label']): string {
  if (isGlobalUnit(unit)) return ' on all machines';
  return unit.machineID === undefined ? '' : ` on ${label(unit.machineID)}`;
}
