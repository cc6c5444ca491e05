import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeRecord, keys, MemoryStore, type UnitRecord } from '@flotilla/registry';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { hashUnitFile } from '@flotilla/unit';
import { machine, service } from './memory-host.js';
import { MissingUnits } from './missing-units.js';

const unit: UnitRecord = {
  hash: hashUnitFile({ options: [] }),
  file: 'f',
  desiredState: 'launched',
  order: 1,
  isGlobal: false,
};

test('units that stand are asked about every 5 s, 64 a transaction; those that are gone are not asked about again', async () => {
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  let reads = 0;
  const counted = new Proxy(store, {
    get: (target, property) => {
      if (property === 'transact') reads++;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const missing = new MissingUnits({ store: counted, machine: machine.id, clock, log: silentLogger });
  const names = Array.from({ length: 129 }, (_, index) => service(`u${index}`));
  for (const name of names)
    await store.transact({ success: [{ kind: 'put', key: keys.unit(name), value: encodeRecord(unit) }] });

  assert.equal(missing.nextCheckMs(), undefined);
  assert.equal(await missing.confirm(names, 'one'), true);
  assert.equal(reads, 3);
  assert.equal(await missing.confirm(names, 'one'), false);
  assert.equal(missing.nextCheckMs(), 5000);
  await clock.advance(5000);
  await store.transact({ success: names.slice(1).map((name) => ({ kind: 'delete', from: keys.unit(name) })) });
  assert.equal(await missing.confirm(names, 'one'), true);
  assert.equal(reads, 6);
  await clock.advance(5000);
  assert.equal(await missing.confirm(names, 'one'), true);
  assert.equal(reads, 7);
  assert.equal(await missing.confirm(names, 'two'), true);
  assert.equal(reads, 10);
  assert.equal(await missing.confirm([], 'two'), false);
  assert.equal(missing.nextCheckMs(), undefined);
});
