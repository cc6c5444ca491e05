import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cluster, type Machine, type Placement, parseMachineId, type Unit } from '@flotilla/cluster';
import { parseRequirements, parseUnitFile, parseUnitName, type UnitHash, type UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { chooseMachine, rankMachines } from './choose-machine.js';
import { indexOfCluster } from './index-of-cluster.js';

const names = ['a@1.service', 'a@2.service', 'a@3.service', 'b@1.service', 'c@1.service', 'g.service', 'q.service'].map(
  parseUnitName,
);
const ids = ['m1', 'm2', 'm3', 'm4', 'm5'].map(parseMachineId);
const sections = [
  '',
  'MachineMetadata=role=db',
  'MachineMetadata=role!=db',
  'MachineID=m2',
  'MachineOf=q.service',
  'MachineOf=g.service',
  'Conflicts=a@*',
  'Replaces=a@*',
  'PreferMachineMetadata=7:role=db\nPreferConflicts=5:a@*',
  'SpreadOver=role',
  'Strategy=binpack',
  'Strategy=random',
];

const unit = fc.record({
  fleet: fc.constantFrom(...sections),
  placement: fc.option(fc.constantFrom(...ids), { nil: undefined, freq: 1 }),
  runsOn: fc.option(fc.constantFrom(...ids), { nil: undefined, freq: 6 }),
});
const machine = fc.record({
  role: fc.constantFrom('db', 'web'),
  isClosed: fc.boolean(),
  maxUnits: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
});

const cluster = fc
  .tuple(
    fc.array(unit, { minLength: names.length, maxLength: names.length }),
    fc.array(machine, { maxLength: ids.length }),
  )
  .map(([units, machines]): Cluster => {
    const placements = new Map<UnitName, Placement>();
    const known = units.map(({ fleet, placement, runsOn }, at): [UnitName, Unit] => {
      const name = names[at] ?? parseUnitName('z.service');
      const isGlobal = name === 'g.service';
      const fixed: Record<string, string> = { 'g.service': 'Global=true\nConflicts=c@*', 'q.service': '' };
      const section = fixed[name] ?? fleet;
      const requirements = parseRequirements({ name, file: parseUnitFile(`[X-Fleet]\n${section}\n`) });
      if (placement !== undefined && !isGlobal) placements.set(name, { machine: placement, since: at });
      const own = { name, hash: '' as UnitHash, desiredState: 'launched' as const, requirements, createdAt: at };
      return [name, runsOn === undefined ? own : { ...own, runsOn: { machine: runsOn, asOf: 1 } }];
    });
    return {
      units: new Map(known),
      placements,
      leaving: new Map(),
      machines: new Map(
        machines.map(({ role, isClosed, maxUnits }, at): [Machine['id'], Machine] => {
          const id = ids[at] ?? parseMachineId('z');
          return [id, { id, metadata: new Map([['role', role]]), isClosed, maxUnits }];
        }),
      ),
      away: new Set(),
      stopping: new Map(),
      strategy: 'spread',
      unreadable: { units: new Set(), machines: new Set() },
    };
  });

test('the first machine of the ranking is the one that is chosen, and none is in it twice', () => {
  fc.assert(
    fc.property(cluster, (given) => {
      const index = indexOfCluster(given);
      for (const [name, { requirements }] of given.units) {
        const node = index.units.of(name);
        if (node.placement !== undefined || requirements.isGlobal) continue;
        const ranking = rankMachines(index, node);
        assert.equal(ranking[0]?.id, chooseMachine(index, node)?.id, name);
        assert.equal(new Set(ranking).size, ranking.length);
      }
    }),
    { numRuns: 300 },
  );
});
