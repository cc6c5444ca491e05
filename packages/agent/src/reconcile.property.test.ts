import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { motion } from './current.js';
import { reconcile } from './reconcile.js';
import { after, settle, type World, worlds } from './reconcile-harness.js';

function pass({ desired, current }: World): World {
  const next = new Map(current);
  for (const task of reconcile(desired, current)) {
    const [unit, wish] = [next.get(task.unit), desired.get(task.unit)];
    if (unit !== undefined && wish !== undefined) next.set(task.unit, after(unit, task, wish));
  }
  for (const [name, unit] of next) next.set(name, settle(unit));
  return { desired, current: next };
}

test('a few passes bring every world to rest, as it is wanted', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      let now: World = { ...world, current: new Map([...world.current].map(([name, unit]) => [name, settle(unit)])) };
      for (let count = 0; count < 4; count++) now = pass(now);
      assert.deepEqual(reconcile(now.desired, now.current), []);
      for (const [name, wish] of now.desired) {
        const unit = now.current.get(name);
        if (wish.kind === 'present') assert.equal(unit?.file?.hash, wish.hash, 'has the wanted content');
        if (wish.kind === 'absent') assert.equal(unit?.file, undefined, 'is gone');
        if (wish.kind === 'untouched')
          assert.deepEqual(unit, settle(world.current.get(name) ?? fail()), 'is untouched');
      }
    }),
    { numRuns: 500 },
  );
});

test('no file is taken from under a unit that runs', () => {
  fc.assert(
    fc.property(worlds, ({ desired, current }) => {
      for (const { kind, unit: name } of reconcile(desired, current)) {
        const [unit, wish] = [current.get(name), desired.get(name)];
        if (unit === undefined || motion(unit.status) === 'at-rest') continue;
        assert.notEqual(kind, 'unload');
        if (kind === 'load') assert.equal(unit.started?.hash ?? unit.file?.hash ?? wish?.hash, wish?.hash);
      }
    }),
    { numRuns: 500 },
  );
});

function fail(): never {
  assert.fail('a unit has vanished');
}
