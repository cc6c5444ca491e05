import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId } from '@flotilla/cluster';
import { decodeRecord, keys, ranges, type UnitRecord } from '@flotilla/registry';
import { compileGlob, parseRequirements, parseUnitFile, parseUnitName, type Requirements } from '@flotilla/unit';
import fc from 'fast-check';
import { isPlan, TestCluster, type TracedStore } from './test-cluster.js';

/** A cluster with the one that leads it. */
interface Led {
  readonly cluster: TestCluster;
  leader: { readonly engine: { close(options: { resign: boolean }): Promise<void> }; readonly store: TracedStore };
  terms: number;
}

/** Something that happens; `says` is for the counterexample. */
interface Step {
  readonly says: string;
  readonly take: (led: Led) => Promise<unknown>;
}

const unit = fc.constantFrom('a.service', 'b.service', 'c@1.service', 'e.service');
const machine = fc.constantFrom('m1', 'm2', 'm3');
const fleets = [
  '',
  'Conflicts=a.service',
  'Conflicts=c@*',
  'Conflicts=?.service',
  'MachineOf=a.service',
  'MachineOf=c@1.service',
  'MachineOf=b.service\nConflicts=c@*',
  'Replaces=a.service',
  'Replaces=?.service',
  'MachineMetadata=role=db',
  'MachineMetadata=role=db\nConflicts=e.service',
  'Global=true',
  'Global=true\nConflicts=?.service',
  'Global=true\nMachineMetadata=role=db',
];
const machineKinds = [{}, {}, { metadata: { role: 'db' } }, { frozen: 'a test' }, { maxUnits: 1 }];

const submitted = fc
  .tuple(
    unit,
    fc.constantFrom(...fleets),
    fc.constantFrom('launched' as const, 'launched' as const, 'inactive' as const),
  )
  // Refused before it gets here.
  .filter(([name, fleet]) => !fleet.includes(`MachineOf=${name}`));

const submission = submitted.map(
  ([name, fleet, desired]): Step => ({
    says: `submit ${name} ${desired} ${fleet}`,
    take: ({ cluster }) => cluster.submit(name, { fleet, desired }),
  }),
);

const change: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: submission },
  unit.map((name): Step => ({ says: `destroy ${name}`, take: ({ cluster }) => cluster.destroy(name) })),
  fc.tuple(machine, fc.constantFrom(...machineKinds)).map(
    ([id, given]): Step => ({
      says: `join ${id} ${JSON.stringify(given)}`,
      take: ({ cluster }) => cluster.join(id, given),
    }),
  ),
  machine.map((id): Step => ({ says: `lose ${id}`, take: ({ cluster }) => cluster.lose(id) })),
  machine.map((id): Step => ({ says: `${id} leaves`, take: ({ cluster }) => cluster.leave(id) })),
  fc.constant<Step>({ says: 'agents answer', take: ({ cluster }) => answerAll(cluster) }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: change },
  { weight: 2, arbitrary: fc.constant<Step>({ says: 'settle', take: ({ cluster }) => cluster.settle() }) },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.array(submission, { maxLength: 4 }), fc.oneof(submission, change), fc.boolean()).map(
      ([burst, { says, take }, isHeard]): Step => ({
        says: `${burst.map((each) => each.says).join(', ')}; while it writes, ${says}${isHeard ? ', and it hears of that' : ''}`,
        take: async (led) => {
          const { store } = led.leader;
          store.before = async (transaction) => {
            if (!isPlan(transaction)) return;
            store.before = async () => {};
            await take(led);
            if (isHeard) for (let turn = 0; turn < 5; turn++) await led.cluster.layout();
          };
          for (const each of burst) await each.take(led);
          await led.cluster.settle();
        },
      }),
    ),
  },
  fc.constantFrom('loseNextReply' as const, 'loseNextRequest' as const).map(
    (lose): Step => ({
      says: `${lose} of a plan`,
      take: async ({ leader: { store } }) => {
        store.before = async (transaction) => {
          if (!isPlan(transaction)) return;
          store.before = async () => {};
          store.client[lose]();
        };
      },
    }),
  ),
  fc.constant<Step>({ says: 'another one leads', take: succeed }),
);

async function succeed(led: Led): Promise<void> {
  await led.leader.engine.close({ resign: true });
  led.leader = await led.cluster.lead(`e${++led.terms}`);
}

/** Where there is but one, more is in each other's way. */
const machines = fc.constantFrom(['m1'], ['m1', 'm2', 'm3']);

test('whatever interrupts its leaders, a cluster comes to rest where every rule holds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), machines, async (steps, joined) => {
      const cluster = new TestCluster();
      const led: Led = { cluster, leader: await cluster.lead('e1'), terms: 1 };
      await cluster.register(...joined);
      for (const name of ['a.service', 'b.service', 'c@1.service']) await cluster.submit(name);
      await cluster.settle();
      for (const { take } of steps) await take(led);
      // Whoever is gone is lost by then, or held back for ever.
      await cluster.clock.advance(120_000);
      for (let round = 0; round < 8; round++) {
        await answerAll(cluster);
        await cluster.settle();
      }
      led.leader.store.before = async () => {};
      await checkRules(cluster);
      const { transactions } = led.leader.store;
      const before = transactions.length;
      await cluster.clock.advance(5_000);
      assert.deepEqual(transactions.slice(before).filter(isPlan), []);
      await succeed(led);
      assert.deepEqual(led.leader.store.transactions.filter(isPlan), []);
      await cluster.close();
    }),
    { numRuns: Math.ceil((fc.readConfigureGlobal().numRuns ?? 200) / 2) },
  );
});

/** Every agent that was told to let a unit go has done so. */
async function answerAll(cluster: TestCluster): Promise<void> {
  for (const line of await cluster.layout()) {
    const [name, sign, id, leaving] = line.split(' ');
    if (sign !== '@' || leaving === undefined || name === undefined || id === undefined) continue;
    await cluster.report(name, id);
    await cluster.acknowledge(name, id);
  }
}

/** On each live machine, no two units conflict, and each unit is with those that it follows. */
async function checkRules(cluster: TestCluster): Promise<void> {
  const alive = (await cluster.keysOf(ranges.machines)).map((key) => parseMachineId(key.split('/')[1] ?? ''));
  const layout = await cluster.layout();
  for (const id of alive) {
    const placed = layout.filter((line) => line.endsWith(` > ${id}`)).map((line) => line.split(' ')[0] ?? '');
    const scheduled = layout.filter((line) => line.endsWith(` @ ${id}`)).map((line) => line.split(' ')[0] ?? '');
    assert.deepEqual(scheduled, placed);
    for (const name of placed) {
      const { isGlobal, requirements } = await readUnit(cluster, name);
      assert.equal(isGlobal, false, name);
      for (const glob of requirements.conflicts) {
        const rivals = placed.filter((other) => other !== name && compileGlob(glob)?.(other) === true);
        assert.deepEqual(rivals, [], `${name} on ${id}`);
      }
      for (const peer of requirements.machineOf)
        assert.ok(
          placed.includes(peer) || (await readUnit(cluster, peer)).isGlobal,
          `${name} without ${peer} on ${id}`,
        );
    }
  }
}

async function readUnit(
  cluster: TestCluster,
  text: string,
): Promise<{ readonly isGlobal: boolean; readonly requirements: Requirements }> {
  const name = parseUnitName(text);
  const [kv] = (await cluster.store.range({ from: keys.unit(name) })).kvs;
  assert.ok(kv !== undefined, `${text} is not there`);
  const { file, isGlobal } = decodeRecord<UnitRecord>(kv.key, kv.value);
  const [bytes] = (await cluster.store.range({ from: keys.unitFile(file) })).kvs;
  const requirements = parseRequirements({ name, file: parseUnitFile(bytes?.value ?? '') });
  return { isGlobal, requirements };
}
