import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EntryKind, entryKind, misnameProblem } from './entry-kind.js';

const kinds: readonly (readonly [string, EntryKind | undefined])[] = [
  ['web.service', 'unit'],
  ['web@.service', 'unit'],
  ['web@1.service', 'unit'],
  ['data-disk.mount', 'unit'],
  ['web@.instances', 'instances'],
  ['all.units', 'bundle'],
  ['all of it.units', 'bundle'],
  ['web.service.d', 'drop-in'],
  // What editors, packagers and version control leave behind.
  ['.web.service', undefined],
  ['.web.service.swp', undefined],
  ['.#web.service', undefined],
  ['.all.units', undefined],
  ['.git', undefined],
  ['#web.service#', undefined],
  ['web.service~', undefined],
  ['web.service.~1~', undefined],
  ['web.service.bak', undefined],
  ['web.service.orig', undefined],
  ['web.service.rej', undefined],
  ['web.service.dpkg-new', undefined],
  ['web.service.rpmsave', undefined],
  ['all.units~', undefined],
  ['web@.instances~', undefined],
  ['4913', undefined],
  ['README.md', undefined],
  ['multi-user.target.wants', undefined],
  ['conf.d', undefined],
  ['web.instances', undefined],
  ['.units', undefined],
  // Meant to be one, and can't be.
  ['my web.service', 'misnamed'],
  ['@.service', 'misnamed'],
  ['web@1.mount', 'misnamed'],
  ['we\u001bb.service', 'misnamed'],
  ['@.instances', 'misnamed'],
  ['my web@.instances', 'misnamed'],
  ['a\u001b[2Jb.units', 'misnamed'],
  ['a\u202eb.units', 'misnamed'],
  ['a\ufffdb.units', 'misnamed'],
];

for (const [name, kind] of kinds)
  test(`${JSON.stringify(name)} is ${kind ?? 'nothing'}`, () => assert.equal(entryKind(name), kind));

test('who misnames a file is told what is wrong with the name', () => {
  assert.match(misnameProblem('my web.service'), /invalid character ' ' in unit name.*rename/);
  assert.match(misnameProblem('my web@.instances'), /invalid character ' '/);
  assert.match(misnameProblem('a\u001b.units'), /nobody can see/);
});
