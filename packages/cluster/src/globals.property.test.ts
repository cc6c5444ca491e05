import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchGlob, noRequirements, parseUnitName, type UnitHash } from '@flotilla/unit';
import fc from 'fast-check';
import type { Unit } from './cluster-model.js';
import { globalsOn } from './globals.js';

const globs = ['*', 'g1.service', 'g*', 'r?.service', 'r[12].service', 'r1.service', '*[3-5].service', 'nobody', '['];

function units(letter: string, isGlobal: boolean) {
  const facts = fc.record({
    createdAt: fc.integer({ min: 1, max: 4 }),
    conflicts: fc.oneof(fc.constant([]), fc.uniqueArray(fc.constantFrom(...globs), { maxLength: 2 })),
    role: fc.constantFrom(undefined, undefined, 'web', 'db'),
  });
  return fc.array(facts, { maxLength: 6 }).map((list) =>
    list.map(({ createdAt, conflicts, role }, index): Unit => {
      const metadata: ReadonlyMap<string, readonly string[]> = new Map(role === undefined ? [] : [['role', [role]]]);
      const requirements = { ...noRequirements, isGlobal, metadata, conflicts };
      const name = parseUnitName(`${letter}${index}.service`);
      return { name, hash: '' as UnitHash, requirements, desiredState: 'launched', createdAt };
    }),
  );
}

const machine = { metadata: new Map([['role', 'web']]) };
const worlds = fc.record({ globals: units('g', true), residents: units('r', false) });

function doConflict(a: Unit, b: Unit): boolean {
  const names = (x: Unit, y: Unit) => x.requirements.conflicts.some((glob) => matchGlob(glob, y.name));
  return a !== b && (names(a, b) || names(b, a));
}

function isEarlier(a: Unit, b: Unit): boolean {
  return a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.name < b.name);
}

/** Of all subsets, the one in which each unit is exactly if nothing that comes before it keeps it off. */
function bruteForce({ globals, residents }: { readonly globals: readonly Unit[]; readonly residents: Unit[] }): Unit[] {
  const found: Unit[][] = [];
  for (let bits = 0; bits < 2 ** globals.length; bits++) {
    const running = globals.filter((_, index) => (bits >> index) % 2 === 1);
    const isRight = globals.every((unit) => {
      const role = unit.requirements.metadata.get('role')?.[0];
      const isKeptOff = [...residents, ...running].some((other) => doConflict(other, unit) && isEarlier(other, unit));
      return running.includes(unit) === ((role === undefined || role === 'web') && !isKeptOff);
    });
    if (isRight) found.push(running);
  }
  assert.equal(found.length, 1, 'there is one answer');
  return found[0] ?? [];
}

test('the globals of a machine are those that nothing earlier keeps off', () => {
  let keptOff = 0;
  fc.assert(
    fc.property(worlds, (world) => {
      const running = globalsOn(machine, world.globals, world.residents);
      assert.deepEqual(new Set(running), new Set(bruteForce(world)));
      keptOff += world.globals.length - running.length;
      for (const [index, unit] of running.entries()) {
        const next = running[index + 1];
        if (next !== undefined) assert.ok(isEarlier(unit, next), 'in the order in which they were made');
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(keptOff > 100, `only ${keptOff} were kept off`);
});

test('the order of globals and residents does not matter, and neither is changed', () => {
  fc.assert(
    fc.property(worlds, fc.infiniteStream(fc.double({ noNaN: true })), ({ globals, residents }, numbers) => {
      const shuffled = (list: readonly Unit[]) =>
        list
          .map((unit) => ({ unit, at: numbers.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ unit }) => unit);
      const before = [...globals];
      const expected = globalsOn(machine, globals, residents);
      assert.deepEqual(globals, before);
      assert.deepEqual(globalsOn(machine, shuffled(globals), new Set(shuffled(residents))), expected);
    }),
    { numRuns: 300 },
  );
});
