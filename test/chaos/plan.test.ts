import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Fault, faultKinds } from './fault-plan.js';
import { plan } from './plan.js';
import { chaosUnits } from './units.js';

const faultsOf = (options: Parameters<typeof plan>[0]): Fault[] =>
  plan(options).flatMap(({ events }) => events.filter((event) => event.what === 'fault'));

test('a plan is the same again for the same seed, and another one for another', () => {
  const options = { seed: 7, minutes: 5 };
  assert.deepEqual(plan(options), plan(options));
  assert.notDeepEqual(plan(options), plan({ ...options, seed: 8 }));
});

test('each round has its events in order, and all of them over by its end', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      for (const { events, lengthMs } of plan({ seed, minutes: 3 })) {
        const times = events.map(({ atMs }) => atMs);
        assert.deepEqual(
          times,
          times.toSorted((one, other) => one - other),
        );
        for (const event of events) {
          assert.ok(event.atMs < lengthMs);
          if (event.what === 'fault') assert.ok(event.atMs + event.forMs <= lengthMs);
        }
      }
    }),
  );
});

test('an ordinary round has no more than one host and one member down at a time', () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      for (const { events, isHard } of plan({ seed, minutes: 3 })) {
        if (isHard) continue;
        const lasting = events.filter((event): event is Fault => event.what === 'fault' && event.forMs > 0);
        for (const lane of [false, true]) {
          const faults = lasting.filter(({ kind }) => kind.startsWith('member') === lane);
          for (const [at, { atMs }] of faults.slice(1).entries()) {
            const before = faults[at];
            assert.ok(before !== undefined && before.atMs + before.forMs <= atMs);
          }
        }
      }
    }),
  );
});

test('an hour has every kind of fault, every unit, and operations of every kind', () => {
  const kinds = new Set(faultsOf({ seed: 1, minutes: 60 }).map(({ kind }) => kind));
  assert.deepEqual([...kinds].sort(), faultKinds);
  const operations = plan({ seed: 1, minutes: 60 }).flatMap(({ events }) =>
    events.filter((event) => event.what === 'operation'),
  );
  assert.equal(new Set(operations.map(({ unit }) => unit)).size, chaosUnits.length);
  assert.deepEqual([...new Set(operations.map(({ wish }) => wish.verb))].sort(), [
    'ask',
    'delete',
    'put',
    'restart',
    'run',
  ]);
});

test('a unit belongs to one client, and half of the units are left in peace in a round', () => {
  const [, ...rounds] = plan({ seed: 3, minutes: 20 });
  const clientByUnit = new Map<string, number>();
  for (const { events } of rounds) {
    const operations = events.filter((event) => event.what === 'operation');
    assert.ok(new Set(operations.map(({ unit }) => unit)).size <= Math.ceil(chaosUnits.length / 2));
    for (const { unit, client } of operations) {
      assert.equal(clientByUnit.get(unit) ?? client, client);
      clientByUnit.set(unit, client);
    }
  }
});

test('one member of etcd is left alone, as it is all of the store', () => {
  const faults = faultsOf({ seed: 1, minutes: 20, hosts: 2, members: 1 });
  assert.deepEqual(
    faults.filter(({ kind }) => kind.startsWith('member')),
    [],
  );
  assert.ok(faults.some(({ kind }) => kind === 'store-stop'));
});
