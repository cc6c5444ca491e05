import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { hashUnitFile } from '@flotilla/unit';
import { AssignmentFile, emptyAssignment } from './assignment-file.js';
import { service } from './memory-host.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flotilla-assignment-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('what was saved comes back; without a file there is nothing', async () => {
  const file = new AssignmentFile(directory);
  assert.deepEqual(await file.load(), emptyAssignment);
  const units = new Map([
    [service('web'), { hash: hashUnitFile({ options: [] }), uid: 5, isLaunched: true, order: 2 }],
  ]);
  for (const frozen of [undefined, 'a reason']) {
    const assignment = { cluster: 'one', revision: 9, frozen, hasHadUnits: frozen !== undefined, units };
    await file.save(assignment);
    assert.deepEqual(await file.load(), assignment);
  }
});

for (const text of [
  '',
  '{',
  'null',
  '"text"',
  '{"units":{"a.service":null}}',
  '{"units":{"a.service":{"hash":1,"uid":1}}}',
  '{"units":{"no unit":{"hash":"h","uid":1}}}',
  '{"units":null}',
  '{"cluster":1}',
  '{"revision":"9"}',
  '{"frozen":true}',
])
  test(`${text || 'an empty file'} is damaged: that freezes, and stays as it is`, async () => {
    const path = join(directory, 'assignment.json');
    await writeFile(path, text);
    const { frozen, units } = await new AssignmentFile(directory).load();
    assert.equal(frozen, `${path} is damaged`);
    assert.equal(units.size, 0);
    assert.equal(await readFile(path, 'utf8'), text);
  });
