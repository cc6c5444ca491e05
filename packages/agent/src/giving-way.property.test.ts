import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflicts } from '@flotilla/cluster';
import { noRequirements, type Requirements, type UnitName } from '@flotilla/unit';
import fc from 'fast-check';
import { motion } from './current.js';
import { outgoingUnits, startedUnits, waitingUnits, withholdStarts } from './giving-way.js';
import { reconcile, type Task } from './reconcile.js';
import { after, names, settle, type World, worlds } from './reconcile-harness.js';

const globs = names.flatMap((name) => [name, `[^${name[0]}]*`]);
const asks: fc.Arbitrary<ReadonlyMap<UnitName, Requirements>> = fc
  .array(fc.uniqueArray(fc.constantFrom(...globs), { maxLength: 1 }), {
    minLength: names.length,
    maxLength: names.length,
  })
  .map((lists) => new Map(names.map((name, index) => [name, { ...noRequirements, conflicts: lists[index] ?? [] }])));

function tasksOf({ desired, current }: World, requirements: ReadonlyMap<UnitName, Requirements>): Task[] {
  const due = reconcile(desired, current);
  return withholdStarts(due, waitingUnits(startedUnits(due), outgoingUnits(desired, current), requirements));
}

/** Tasks are carried out one by one; a stop takes until `settle`. */
function pass(world: World, requirements: ReadonlyMap<UnitName, Requirements>): World {
  const current = new Map(world.current);
  for (const task of tasksOf(world, requirements)) {
    const [unit, wish] = [current.get(task.unit), world.desired.get(task.unit)];
    if (unit === undefined || wish === undefined) continue;
    if (task.kind === 'start' || task.kind === 'restart') checkAlone(task.unit, { ...world, current }, requirements);
    const isStop = task.kind === 'stop';
    const stopping = { ...unit, status: { ...unit.status, active: 'deactivating', job: 'stop' }, started: undefined };
    current.set(task.unit, isStop ? stopping : after(unit, task, wish));
  }
  return { desired: world.desired, current };
}

function checkAlone(name: UnitName, { desired, current }: World, requirements: ReadonlyMap<UnitName, Requirements>) {
  const named = (unit: UnitName) => ({ name: unit, requirements: requirements.get(unit) ?? noRequirements });
  for (const [other, unit] of current) {
    const isOurs = unit.file !== undefined || unit.started !== undefined;
    if (desired.get(other)?.kind === 'present' || !isOurs || motion(unit.status) === 'at-rest') continue;
    assert.equal(conflicts(named(name), named(other)), false, `${name} is started while ${other} still runs`);
  }
}

test('no unit is started beside one that it conflicts with and that has to go, and all come to rest', () => {
  let waits = 0;
  fc.assert(
    fc.property(worlds, asks, (world, requirements) => {
      let now: World = world;
      for (let count = 0; count < 12; count++) {
        const [due, all] = [reconcile(now.desired, now.current), tasksOf(now, requirements)];
        waits += due.length - all.length;
        now = pass(now, requirements);
        // Every other time something has come to its end by the next pass.
        if (count % 2 === 1) now.current = new Map([...now.current].map(([name, unit]) => [name, settle(unit)]));
      }
      assert.deepEqual(tasksOf(now, requirements), []);
      // What still waits does so for a unit that nobody has told to stop.
      const outgoing = outgoingUnits(now.desired, now.current);
      for (const name of outgoing) assert.equal(now.desired.get(name)?.kind, 'untouched');
      const due = reconcile(now.desired, now.current).map(({ unit }) => unit);
      const waiting = waitingUnits(new Set(due), outgoing, requirements);
      assert.deepEqual(new Set(due), new Set(waiting.keys()));
    }),
    { numRuns: 1000 },
  );
  assert.ok(waits > 100, `only ${waits} tasks were withheld`);
});
