import type { HostView } from './host-view.js';
import { describe, type Registered } from './model.js';
import { placementsOf, type StoreView, tableOf } from './store-view.js';
import { chaosUnits, findChaosUnit, sha256, unitText, versions } from './units.js';

/** Something that is not as it is to be, or not yet. */
export interface Problem {
  /** Or `-`. */
  readonly unit: string;
  /** Or `-`. */
  readonly host: string;
  readonly says: string;
}

/** All that is known of the cluster at one time, nearly. */
export interface Sight {
  readonly store: StoreView;
  readonly hosts: readonly HostView[];
  /** The program in the units' files. */
  readonly note: string;
  readonly possible: (unit: string) => readonly Registered[];
  /** Whether a unit's last run on a host ended because its main process was killed: then it may be `failed`. */
  readonly isKilled: (unit: string, host: string) => boolean;
}

interface UnitRecord {
  readonly file: string;
  readonly desiredState: string;
}

/** What is registered of a unit of ours; `undefined`: nothing. @throws Error if it is nothing that anybody asked for. */
export function registeredOf(store: StoreView, unit: string, note: string): Registered {
  const value = store.values.get(`units/${unit}`);
  if (value === undefined) return undefined;
  const { file, desiredState } = JSON.parse(value) as UnitRecord;
  const version = versions.find((each) => sha256(unitText(unit, each, note)) === file);
  if (
    version === undefined ||
    (desiredState !== 'inactive' && desiredState !== 'loaded' && desiredState !== 'launched')
  )
    throw new Error(`${unit} is registered as ${value}, which nobody asked for`);
  return { version, state: desiredState };
}

/** Everything that is wrong; empty once the cluster is as wanted, and nothing else is left. */
export function judge(sight: Sight): Problem[] {
  const wanted = new Map<string, Exclude<Registered, undefined>>();
  const problems: Problem[] = [];
  for (const { name } of chaosUnits) {
    const registered = registeredOf(sight.store, name, sight.note);
    const possible = sight.possible(name);
    if (!possible.some((each) => describe(each) === describe(registered))) {
      const either = possible.map(describe).join(' or ');
      problems.push({ unit: name, host: '-', says: `is ${describe(registered)} in the registry, not ${either}` });
    }
    if (registered !== undefined) wanted.set(name, registered);
  }
  return [...problems, ...judgeStore(sight, wanted), ...sight.hosts.flatMap((host) => judgeHost(sight, host, wanted))];
}

type Wanted = ReadonlyMap<string, Exclude<Registered, undefined>>;

/** The units that are to be on a machine by the placements, which `judgeStore` sees to. */
function unitsOn({ store }: Sight, machine: string, wanted: Wanted): Map<string, Exclude<Registered, undefined>> {
  const placements = placementsOf(store);
  const here = [...wanted].filter(([name, { state }]) => {
    if (state === 'inactive') return false;
    return findChaosUnit(name)?.isGlobal === true || placements.get(name) === machine;
  });
  return new Map(here);
}

function judgeStore(sight: Sight, wanted: Wanted): Problem[] {
  const { store, hosts } = sight;
  const problems = [...judgePlacements(sight, wanted)];
  const wrong = (unit: string, says: string) => problems.push({ unit, host: '-', says });
  const expected = hosts.flatMap(({ machine }) =>
    [...unitsOn(sight, machine, wanted).keys()].map((unit) => ({ unit, machine })),
  );
  const scheduled = expected.filter(({ unit }) => findChaosUnit(unit)?.isGlobal === false);
  const names = (keys: Iterable<string>) => [...keys].sort();
  const compare = (table: string, keys: readonly string[]) => {
    const there = names(tableOf(store, table).keys());
    for (const key of keys.filter((each) => !there.includes(each))) wrong(unitIn(key), `${table}/${key} is missing`);
    for (const key of there.filter((each) => !keys.includes(each))) wrong(unitIn(key), `${table}/${key} is left over`);
  };
  compare('units', [...wanted.keys()]);
  compare(
    'globals',
    [...wanted.keys()].filter((name) => findChaosUnit(name)?.isGlobal === true),
  );
  compare('unit-files', [
    ...new Set([...wanted].map(([name, { version }]) => sha256(unitText(name, version, sight.note)))),
  ]);
  compare('states', [
    ...expected.map(({ unit, machine }) => `${unit}/${machine}`),
    ...hosts.flatMap(({ machine }) => keptOn(sight, machine, wanted).map((unit) => `${unit}/${machine}`)),
  ]);
  problems.push(...judgeKept(sight, wanted));
  compare(
    'schedule',
    scheduled.map(({ unit, machine }) => `${machine}/${unit}`),
  );
  compare(
    'machines',
    hosts.map(({ machine }) => machine),
  );
  for (const table of ['losses', 'held', 'releases', 'unfreeze', 'restarts', 'updates']) compare(table, []);
  for (const [machine, value] of tableOf(store, 'machines'))
    if ('frozen' in (JSON.parse(value) as object)) wrong('-', `machine ${machine} is frozen: ${value}`);
  problems.push(...judgeSchedule(sight, wanted, scheduled));
  return problems;
}

/**
 * The units that a machine keeps although they wait: it was away when its units were taken off it, and that a unit waits is no
 * order to stop it.
 */
function keptOn({ store }: Sight, machine: string, wanted: Wanted): string[] {
  const placements = placementsOf(store);
  const waiting = [...wanted].filter(
    ([name, { state }]) => state !== 'inactive' && findChaosUnit(name)?.isGlobal !== true && !placements.has(name),
  );
  return waiting.flatMap(([name]) => (store.values.has(`states/${name}/${machine}`) ? [name] : []));
}

function* judgeKept(sight: Sight, wanted: Wanted): Generator<Problem> {
  const kept = sight.hosts.flatMap(({ machine }) => keptOn(sight, machine, wanted));
  for (const unit of new Set(kept.filter((name, at) => kept.indexOf(name) !== at)))
    yield { unit, host: '-', says: 'waits, and more than one machine keeps it' };
}

function* judgeSchedule(
  { store, note }: Sight,
  wanted: Wanted,
  scheduled: readonly { readonly unit: string; readonly machine: string }[],
): Generator<Problem> {
  for (const { unit, machine } of scheduled) {
    const value = store.values.get(`schedule/${machine}/${unit}`);
    const { file, desiredState, isLeaving } = JSON.parse(value ?? '{}') as Partial<UnitRecord & { isLeaving: boolean }>;
    const asked = wanted.get(unit);
    if (asked === undefined || value === undefined) continue;
    const isSo = isLeaving === false && desiredState === asked.state;
    if (!isSo || file !== sha256(unitText(unit, asked.version, note)))
      yield { unit, host: '-', says: `is ${describe(asked)}, but scheduled as ${value}` };
  }
}

function unitIn(key: string): string {
  return key.split('/').find((part) => part.startsWith('test-')) ?? '-';
}

function* judgePlacements({ store, hosts }: Sight, wanted: Wanted): Generator<Problem> {
  const placements = placementsOf(store);
  for (const { name, isGlobal, machineOf: head, apart } of chaosUnits) {
    const asked = wanted.get(name);
    const at = placements.get(name);
    const wrong = (says: string): Problem => ({ unit: name, host: '-', says });
    const mayBePlaced = asked !== undefined && asked.state !== 'inactive' && !isGlobal;
    if (at !== undefined && !mayBePlaced) yield wrong(`is placed on ${at}`);
    const isHeadless = head !== undefined && placements.get(head) === undefined;
    if (mayBePlaced && at === undefined && !isHeadless) yield wrong('is not placed');
    if (at !== undefined && !hosts.some(({ machine }) => machine === at)) yield wrong(`is placed on unknown ${at}`);
    if (at !== undefined && head !== undefined && placements.get(head) !== at) yield wrong(`is not where ${head} is`);
    const rivals = chaosUnits.filter((other) => apart !== undefined && other.apart === apart && other.name < name);
    const rival = rivals.find((other) => at !== undefined && placements.get(other.name) === at);
    if (rival !== undefined) yield wrong(`is where ${rival.name} is, with which it conflicts`);
    const isWaiting = mayBePlaced && at === undefined;
    const hasReason = store.values.has(`reasons/${name}`);
    if (isWaiting !== hasReason)
      yield wrong(hasReason ? 'waits by its reason, but does not' : 'waits without a reason');
  }
}

function judgeHost(sight: Sight, host: HostView, wanted: Wanted): Problem[] {
  const expected = unitsOn(sight, host.machine, wanted);
  const kept = keptOn(sight, host.machine, wanted);
  const problems: Problem[] = [];
  const wrong = (unit: string, says: string) => problems.push({ unit, host: host.name, says });
  if (host.fleetd !== 'active') wrong('-', `fleetd is ${host.fleetd}`);
  const leftovers = (what: string, names: Iterable<string>) => {
    for (const name of names) if (!expected.has(name) && !kept.includes(name)) wrong(name, `${what} is left over`);
  };
  for (const [name, { load, active }] of host.units) leftovers(`its unit in systemd (${load}, ${active})`, [name]);
  leftovers('its file', host.files.keys());
  leftovers('its link', host.links);
  leftovers('the note that it was started', host.started);
  for (const [name, { version, state }] of expected) {
    if (host.files.get(name) !== sha256(unitText(name, version, sight.note)))
      wrong(name, `its file is not version ${version}`);
    if (!host.links.includes(name)) wrong(name, 'its link is missing');
    if (host.started.includes(name) !== (state === 'launched')) wrong(name, `is ${state}, which its note does not say`);
    const active = host.units.get(name)?.active ?? 'inactive';
    const allowed = state === 'launched' ? launchedStates(sight, name, host.name) : ['inactive', 'failed'];
    if (!allowed.includes(active)) wrong(name, `is ${state}, but ${active} by systemd`);
    const row = sight.store.values.get(`states/${name}/${host.machine}`);
    const { active: told } = JSON.parse(row ?? '{}') as { active?: string };
    const isRestless = findChaosUnit(name)?.kind === 'crashing';
    if (row !== undefined && told !== active && !isRestless)
      wrong(name, `is ${active} by systemd, but ${told} in its row`);
  }
  return problems;
}

function launchedStates(sight: Sight, unit: string, host: string): readonly string[] {
  switch (findChaosUnit(unit)?.kind) {
    case 'crashing':
      return ['active', 'activating', 'deactivating', 'failed', 'inactive'];
    case 'failing':
      return ['active', 'failed'];
    case 'broken':
      return ['failed'];
    case 'again':
      return ['active'];
    default:
      return sight.isKilled(unit, host) ? ['active', 'failed'] : ['active'];
  }
}
