import {
  type Cluster,
  type LaunchState,
  type Machine,
  type MachineId,
  type Placement,
  parseMachineId,
  type StoppingUnit,
  type Unit,
} from '@flotilla/cluster';
import {
  type MetadataTest,
  noRequirements,
  parseUnitName,
  type Requirements,
  type Strategy,
  type UnitHash,
  type UnitName,
  unitNameParts,
} from '@flotilla/unit';
import fc from 'fast-check';

/** Few of each, so that rules meet: a name may be peer, conflict, replaced and global all at once. */
export const unitNames = [
  'a.service',
  'b.service',
  'c@.service',
  'c@1.service',
  'c@2.service',
  'c@3.service',
  'd.timer',
  'e.service',
].map(parseUnitName);
export const machineIds = ['m1000000', 'm2000000', 'm3000000', 'm4000000'].map((short) =>
  parseMachineId(`${short}ffff`),
);

const globs = ['a.service', 'b.service', 'c@*', 'c@1.service', '[ab].service', 'd.*', 'e*', '*'];
const zones = ['east', 'west'];
const strategies: readonly Strategy[] = ['spread', 'binpack', 'random'];

/** Of this machine nobody knows anything: what is there is lost. */
const lostMachine = parseMachineId('m9000000ffff');
const someMachine = fc.constantFrom(...machineIds, lostMachine);

const metadataTest: fc.Arbitrary<MetadataTest> = fc.oneof(
  fc.record({ op: fc.constantFrom<'=' | '!='>('=', '!='), key: fc.constant('zone'), value: fc.constantFrom(...zones) }),
  fc.record({
    op: fc.constantFrom<'<' | '<=' | '>' | '>='>('<', '<=', '>', '>='),
    key: fc.constantFrom('cores', 'zone'),
    value: fc.constantFrom(2, 4),
  }),
  fc.record({ op: fc.constantFrom<'has' | 'lacks'>('has', 'lacks'), key: fc.constantFrom('zone', 'cores') }),
);

const weight = fc.integer({ min: 1, max: 3 });
const few = <T>(item: fc.Arbitrary<T>, maxLength = 2) => fc.array(item, { minLength: 1, maxLength });

/** One thing that a unit may ask for. */
const demands: fc.Arbitrary<Partial<Requirements>> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...machineIds).map((id) => ({ machineId: id })) },
  { weight: 1, arbitrary: fc.constantFrom(...machineIds).map((id) => ({ machineId: id.slice(0, 8) })) },
  { weight: 2, arbitrary: few(fc.constantFrom(...zones)).map((values) => ({ metadata: new Map([['zone', values]]) })) },
  { weight: 2, arbitrary: few(metadataTest).map((metadataTests) => ({ metadataTests })) },
  { weight: 8, arbitrary: few(fc.constantFrom(...unitNames)).map((machineOf) => ({ machineOf })) },
  { weight: 8, arbitrary: few(fc.constantFrom(...globs)).map((conflicts) => ({ conflicts })) },
  { weight: 8, arbitrary: few(fc.constantFrom(...globs)).map((replaces) => ({ replaces })) },
  { weight: 6, arbitrary: fc.constant({ isGlobal: true }) },
  {
    weight: 2,
    arbitrary: few(fc.record({ weight, test: metadataTest })).map((preferMetadata) => ({ preferMetadata })),
  },
  {
    weight: 2,
    arbitrary: few(fc.record({ weight, glob: fc.constantFrom(...globs) })).map((preferConflicts) => ({
      preferConflicts,
    })),
  },
  { weight: 2, arbitrary: fc.subarray(['zone', 'cores'], { minLength: 1 }).map((spreadOver) => ({ spreadOver })) },
  { weight: 2, arbitrary: fc.constantFrom(...strategies).map((strategy) => ({ strategy })) },
);

const requirements: fc.Arbitrary<Requirements> = fc
  .array(demands, { maxLength: 3 })
  .map((parts) => Object.assign({}, noRequirements, ...parts));

export function arbitraryUnit(name: UnitName): fc.Arbitrary<Unit> {
  return fc.record(
    {
      name: fc.constant(name),
      hash: fc.constant('' as UnitHash),
      desiredState: fc.constantFrom<LaunchState>('launched', 'launched', 'launched', 'loaded', 'inactive'),
      requirements: requirements.map((asked) => withoutNonsense(name, asked)),
      createdAt: fc.integer({ min: 1, max: 4 }),
      runsOn: fc.record({ machine: someMachine, asOf: fc.integer({ min: 1, max: 3 }) }),
    },
    { requiredKeys: ['name', 'hash', 'desiredState', 'requirements', 'createdAt'] },
  );
}

export function arbitraryMachine(id: MachineId): fc.Arbitrary<Machine> {
  return fc.record(
    {
      id: fc.constant(id),
      metadata: fc
        .record({ zone: fc.constantFrom(...zones), cores: fc.constantFrom('2', '4', 'many') }, { requiredKeys: [] })
        .map((metadata) => new Map(Object.entries(metadata))),
      isClosed: fc.constantFrom(false, false, false, true),
      since: fc.integer({ min: 1, max: 3 }),
      maxUnits: fc.integer({ min: 0, max: 3 }),
    },
    { requiredKeys: ['id', 'metadata', 'isClosed'] },
  );
}

export const arbitraryStrategy = fc.constantFrom(...strategies);
export const arbitraryName = fc.constantFrom(...unitNames);
export const arbitraryId = fc.constantFrom(...machineIds);

export const arbitraryPlacement: fc.Arbitrary<Placement> = fc.record({
  machine: someMachine,
  since: fc.integer({ min: 1, max: 3 }),
});

/** A unit's being stopped on a machine that is gone. */
export const arbitraryStopping: fc.Arbitrary<StoppingUnit> = fc.record({
  machine: someMachine,
  untilMs: fc.constantFrom(1_000, 2_000),
});

/** How things stand with a machine. */
type Standing = Machine | 'away' | 'unreadable' | 'lost';

function arbitraryStanding(id: MachineId): fc.Arbitrary<Standing> {
  return fc.oneof(
    { weight: 8, arbitrary: arbitraryMachine(id) },
    { weight: 1, arbitrary: fc.constantFrom<Standing>('lost', 'away', 'unreadable') },
  );
}

const entries = <K extends string, V>(keys: readonly K[], value: (key: K) => fc.Arbitrary<V>, freq: number) =>
  fc
    .tuple(...keys.map((key) => fc.option(value(key), { freq, nil: undefined })))
    .map((drawn) => new Map(drawn.flatMap((one, at): [K, V][] => pair(keys[at], one))));

/** Clusters in which every rule meets every other, also such that no history leads to. */
export const clusters: fc.Arbitrary<Cluster> = fc
  .record({
    units: entries(unitNames, arbitraryUnit, 4),
    standings: entries(machineIds, arbitraryStanding, 4),
    placements: entries(unitNames, () => arbitraryPlacement, 2),
    leaving: fc.array(fc.tuple(arbitraryName, someMachine), { maxLength: 2 }),
    stopping: entries(unitNames, () => arbitraryStopping, 8),
    unreadableUnits: fc.array(arbitraryName, { maxLength: 1 }),
    strategy: arbitraryStrategy,
  })
  .map(({ standings, leaving, unreadableUnits, ...drawn }) => {
    const having = (kind: Standing) => new Set([...standings].flatMap(([id, each]) => (each === kind ? [id] : [])));
    return {
      ...drawn,
      machines: new Map([...standings].flatMap(([id, each]) => (typeof each === 'string' ? [] : [[id, each]]))),
      away: having('away'),
      leaving: leavingOf(leaving, drawn.placements),
      unreadable: {
        units: new Set(unreadableUnits.filter((name) => isSound(name, drawn))),
        machines: having('unreadable'),
      },
    };
  });

/** Nothing is defined of a unit that is placed, is not to be, and can't be read. */
function isSound(name: UnitName, { units, placements }: Pick<Cluster, 'units' | 'placements'>): boolean {
  const isMisplaced = unitNameParts(name).isTemplate || units.get(name)?.requirements.isGlobal === true;
  return !isMisplaced || !placements.has(name);
}

/** What is placed on a machine is not leaving it. */
function leavingOf(
  pairs: readonly (readonly [UnitName, MachineId])[],
  placements: Cluster['placements'],
): Map<UnitName, Set<MachineId>> {
  const leaving = new Map<UnitName, Set<MachineId>>();
  for (const [name, id] of pairs) {
    if (placements.get(name)?.machine === id) continue;
    leaving.set(name, (leaving.get(name) ?? new Set()).add(id));
  }
  return leaving;
}

/** What is refused of a single unit at submit, and would mean nothing. More than that is refused, but would mean something. */
function withoutNonsense(name: UnitName, asked: Requirements): Requirements {
  if (asked.isGlobal) return { ...asked, machineOf: [], replaces: [] };
  return { ...asked, machineOf: asked.machineOf.filter((peer) => peer !== name) };
}

function pair<K, V>(key: K | undefined, value: V | undefined): [K, V][] {
  return key === undefined || value === undefined ? [] : [[key, value]];
}
