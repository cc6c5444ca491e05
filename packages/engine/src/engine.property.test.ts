import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { decodeRecord, encodeRecord, keys, ranges, type UnitRecord } from '@flotilla/registry';
import { parseRequirements, parseUnitFile, parseUnitName, UnitError } from '@flotilla/unit';
import fc from 'fast-check';
import { isPlan, TestCluster } from './test-cluster.js';

/** Something that users, machines, agents or time do; `says` is for the counterexample. */
interface Step {
  readonly says: string;
  readonly take: (cluster: TestCluster) => Promise<unknown>;
}

const unit = fc.constantFrom('a.service', 'b.service', 'c@1.service', 'c@2.service', 'd@.service');
const machine = fc.constantFrom('m1', 'm2', 'm3');
const fleets = [
  '',
  '',
  'MachineID=m1',
  'MachineMetadata=role=db',
  'Global=true',
  'Global=true\nMachineMetadata=role=db\nConflicts=a.*',
  'MachineMetadata=role!=db\nPreferConflicts=1:*',
  'Conflicts=c@*',
  'Conflicts=*',
  'MachineOf=a.service',
  'MachineOf=b.service\nStrategy=random',
  'MachineOf=c@1.service\nMachineOf=a.service',
  'Replaces=a.service',
  'Replaces=[bc]*',
  'Replaces=[bc]*\nSpreadOver=role',
];
const desiredStates = ['inactive', 'loaded', 'launched'] as const;
const machineKinds = [{}, { metadata: { role: 'db' } }, { frozen: 'a test' }];

const submit = fc
  .tuple(unit, fc.constantFrom(...fleets), fc.constantFrom(...desiredStates), fc.nat({ max: 3 }))
  .filter(([name, fleet]) => isAccepted(name, fleet));

/** What the API is told, or told to forget. */
const told = machine.chain((text) => {
  const id = parseMachineId(text);
  const records: readonly { readonly key: string; readonly record: object }[] = [
    { key: keys.metadata(id, 'role'), record: { value: 'db' } },
    { key: keys.metadata(id, 'role'), record: { value: '' } },
    { key: keys.machineSettings(id), record: { maxUnits: 1 } },
    { key: keys.setting('strategy'), record: { value: 'binpack' } },
    { key: keys.setting('max_units'), record: { value: '1' } },
    { key: keys.setting('max_units'), record: { value: 'many' } },
  ];
  return fc.oneof(
    fc.constantFrom(...records).map(
      ({ key, record }): Step => ({
        says: `set ${key} ${JSON.stringify(record)}`,
        take: (cluster) => cluster.write({ kind: 'put', key, value: encodeRecord(record) }),
      }),
    ),
    fc.constantFrom(...records).map(
      ({ key }): Step => ({
        says: `unset ${key}`,
        take: (cluster) => cluster.write({ kind: 'delete', from: key }),
      }),
    ),
  );
});

const step: fc.Arbitrary<Step> = fc.oneof(
  told,
  submit.map(([name, fleet, desired, order]) => ({
    says: `submit ${name} ${desired} ${order} ${fleet}`,
    take: (cluster: TestCluster) => cluster.submit(name, { fleet, desired, order }),
  })),
  unit.map((name) => ({ says: `destroy ${name}`, take: (cluster: TestCluster) => cluster.destroy(name) })),
  fc.tuple(machine, fc.constantFrom(...machineKinds)).map(([id, given]) => ({
    says: `join ${id} ${JSON.stringify(given)}`,
    take: (cluster: TestCluster) => cluster.join(id, given),
  })),
  machine.map((id) => ({ says: `register ${id}`, take: (cluster: TestCluster) => cluster.register(id) })),
  machine.map((id) => ({ says: `leave ${id}`, take: (cluster: TestCluster) => cluster.leave(id) })),
  machine.map((id) => ({ says: `release ${id}`, take: (cluster: TestCluster) => cluster.release(id) })),
  machine.map((id) => ({ says: `lose ${id}`, take: (cluster: TestCluster) => cluster.lose(id) })),
  fc.constant({ says: 'agents answer', take: answerAll }),
  fc.constant({ says: 'global units run', take: runGlobals }),
  fc.constant({ says: 'settle', take: (cluster: TestCluster) => cluster.settle() }),
);

/** Units that drive each other away go one after the other. */
const mostRounds = 6;

test('whatever happened, a new leader finds nothing that its predecessor should have done', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 15 }), fc.boolean(), async (steps, isFilled) => {
      const cluster = new TestCluster();
      const first = await cluster.lead('e1');
      if (isFilled) await fill(cluster);
      for (const { take } of steps) await take(cluster);
      // Whoever is gone is lost by then, or held back for ever.
      await cluster.clock.advance(120_000);
      for (let round = 0; round < mostRounds; round++) {
        await answerAll(cluster);
        await cluster.settle();
      }
      await checkAgreement(cluster);
      await checkCopies(cluster);
      await first.engine.close({ resign: true });
      const second = await cluster.lead('e2');
      assert.deepEqual(second.store.transactions.filter(isPlan), []);
      await cluster.close();
    }),
    { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 200) / 2) },
  );
});

/** Whether the API would take a unit that asks for this. */
function isAccepted(name: string, fleet: string): boolean {
  try {
    parseRequirements({ name: parseUnitName(name), file: parseUnitFile(`[X-Fleet]\n${fleet}\n`) });
    return true;
  } catch (error) {
    if (error instanceof UnitError) return false;
    throw error;
  }
}

/** Machines as they usually are, with units. */
async function fill(cluster: TestCluster): Promise<void> {
  await cluster.register('m1', 'm2', 'm3');
  for (const name of ['a.service', 'b.service', 'c@1.service', 'c@2.service']) await cluster.submit(name);
  await cluster.settle();
}

/** Every agent that is there and was told to let a unit go has done so. */
async function answerAll(cluster: TestCluster): Promise<void> {
  const alive = (await cluster.keysOf(ranges.machines)).map((key) => key.split('/')[1]);
  for (const line of await cluster.layout()) {
    const [name, sign, id, leaving] = line.split(' ');
    if (sign !== '@' || leaving === undefined || name === undefined || id === undefined) continue;
    if (!alive.includes(id)) continue;
    await cluster.report(name, id);
    await cluster.acknowledge(name, id);
  }
}

/** Every machine runs every global unit that is wanted. */
async function runGlobals(cluster: TestCluster): Promise<void> {
  const machines = await cluster.keysOf(ranges.machines);
  for (const { key, value } of (await cluster.store.range(ranges.units)).kvs) {
    const { isGlobal, desiredState } = decodeRecord<UnitRecord>(key, value);
    if (!isGlobal || desiredState === 'inactive') continue;
    for (const machine of machines) await cluster.report(key.split('/')[1] ?? '', machine.split('/')[1] ?? '');
  }
}

/** No machine has a unit that is placed on another one. */
async function checkCopies(cluster: TestCluster): Promise<void> {
  const rows = (await cluster.keysOf(ranges.states)).map((key) => key.split('/'));
  const placements = (await cluster.layout()).filter((line) => line.includes(' > '));
  for (const [name, , placed] of placements.map((line) => line.split(' ')))
    for (const [, unit, id] of rows) assert.ok(unit !== name || id === placed, `${name} on ${id} and ${placed}`);
}

/**
 * Each placed unit has one schedule key, on its machine, which is alive or held back; nothing else is scheduled, but
 * that a unit is to leave one that is held back.
 */
async function checkAgreement(cluster: TestCluster): Promise<void> {
  const layout = await cluster.layout();
  const placed = layout.filter((line) => line.includes(' > '));
  const alive = (await cluster.keysOf(ranges.machines)).map((key) => key.split('/')[1]);
  const losses = (await cluster.losses()).map((line) => line.split(' '));
  const heldBack = losses.filter(([, state]) => state === 'brake').map(([machine]) => machine);
  assert.deepEqual(
    losses.filter(([, state]) => state !== 'brake' && state !== 'lost'),
    [],
  );
  for (const line of placed) assert.ok([...alive, ...heldBack].includes(line.split(' ')[2]), line);
  const mayStay = heldBack.map((machine) => ` @ ${machine} leaving`);
  const scheduled = layout.filter((line) => line.includes(' @ ') && !mayStay.some((end) => line.endsWith(end)));
  assert.deepEqual(scheduled.map((line) => line.replace(' @ ', ' > ')).sort(), placed.sort());
  const units = (await cluster.keysOf(ranges.units)).map((key) => key.split('/')[1]);
  for (const line of placed) assert.ok(units.includes(line.split(' ')[0]), line);
}
