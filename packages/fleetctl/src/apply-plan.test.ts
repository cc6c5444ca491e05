import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FolderUnit } from '@flotilla/folder';
import type { UnitEntity } from '@flotilla/schema';
import { type ApplyPlan, decideApply, destroysMost } from './apply-plan.js';
import { applyFile, listedUnit } from './testing/apply-files.js';
import { one, two } from './testing/lines.js';

interface Row {
  readonly says: string;
  readonly file?: string;
  readonly stored?: UnitEntity;
  readonly owner?: string;
  /** Who else has it; it was applied for the owner. */
  readonly hosts?: readonly string[];
  readonly becomes: string | undefined;
}

const web = (text: string, more: Partial<UnitEntity> = {}) => listedUnit('web.service', text, more);
const { fileHash: _, ...unhashed } = web(one);

const rows: readonly Row[] = [
  { says: 'a new file is created', file: one, becomes: 'created' },
  { says: 'the same bytes are left alone', file: one, stored: web(one), becomes: 'unchanged' },
  {
    says: 'the same bytes are left alone, though somebody has stopped the unit',
    file: one,
    stored: web(one, { desiredState: 'loaded' }),
    becomes: 'unchanged',
  },
  { says: 'other content is a change', file: two, stored: web(one), becomes: 'changed' },
  { says: 'comments are a change', file: `# why\n${one}`, stored: web(one), becomes: 'changed, comments' },
  {
    says: 'a server without hashes of files is asked for the content alone',
    file: `# why\n${one}`,
    stored: unhashed,
    becomes: 'unchanged',
  },
  {
    says: 'its text counts if it is known',
    file: `# why\n${one}`,
    stored: { ...unhashed, file: one },
    becomes: 'changed, comments',
  },
  {
    says: 'a change of what a directory owns is a conflict',
    file: two,
    stored: web(one, { owner: 'local' }),
    becomes: 'conflict',
  },
  { says: 'so is one of comments alone', file: `#\n${one}`, stored: web(one, { owner: 'local' }), becomes: 'conflict' },
  {
    says: 'nothing is sent of the same bytes: it may be whose it is',
    file: one,
    stored: web(one, { owner: 'local' }),
    becomes: 'unchanged',
  },
  {
    says: "an owner's own is changed",
    file: two,
    owner: 'shop',
    stored: web(one, { owner: 'shop' }),
    becomes: 'changed',
  },
  {
    says: "an owner's own is left alone",
    file: one,
    owner: 'shop',
    stored: web(one, { owner: 'shop' }),
    becomes: 'unchanged',
  },
  {
    says: "what is nobody's does not become an owner's by itself",
    file: one,
    owner: 'shop',
    stored: web(one),
    becomes: 'conflict',
  },
  {
    says: "another owner's is a conflict, also with the same bytes",
    file: one,
    owner: 'shop',
    stored: web(one, { owner: 'local' }),
    becomes: 'conflict',
  },
  {
    says: 'what was applied and has no file goes',
    owner: 'shop',
    hosts: [],
    stored: web(one, { owner: 'shop' }),
    becomes: 'destroyed',
  },
  {
    says: 'what was applied and has a file stays',
    file: one,
    owner: 'shop',
    hosts: [],
    stored: web(one, { owner: 'shop' }),
    becomes: 'unchanged',
  },
  {
    says: 'what a host has too is kept',
    owner: 'shop',
    hosts: ['b1d7'],
    stored: web(one, { owner: 'shop' }),
    becomes: 'kept',
  },
  { says: 'what somebody else has adopted is kept', owner: 'shop', hosts: [], stored: web(one), becomes: 'kept' },
  { says: 'what is gone already is only forgotten', owner: 'shop', hosts: [], becomes: 'kept' },
];
for (const { says, file, stored, owner, hosts, becomes } of rows)
  test(says, () => {
    const files = file === undefined ? [] : [applyFile('web.service', file)];
    const plan = planOf(files, {
      stored: stored === undefined ? [] : [stored],
      owner,
      claims: hosts === undefined ? {} : { 'web.service': hosts },
    });
    const [step, ...more] = plan.steps;
    assert.equal(more.length, 0);
    assert.equal(step && `${step.action}${step.isCommentOnly === true ? ', comments' : ''}`, becomes);
  });

test('templates come first, then other units by name, then what goes, by name', () => {
  const files = ['z.service', 'b@.service', 'a.service', 'b@1.service', 'a@.service', 'B.service'];
  const gone = ['y.service', 'c.service'];
  const plan = planOf(
    files.map((name) => applyFile(name, one)),
    {
      owner: 'shop',
      stored: gone.map((name) => listedUnit(name, one, { owner: 'shop' })),
      claims: Object.fromEntries(gone.map((name) => [name, []])),
    },
  );
  assert.deepEqual(
    plan.steps.map(({ name }) => name),
    ['a@.service', 'b@.service', 'B.service', 'a.service', 'b@1.service', 'z.service', 'c.service', 'y.service'],
  );
});

const brakes = [
  { applied: 3, gone: 3, isMost: false },
  { applied: 4, gone: 2, isMost: false },
  { applied: 4, gone: 3, isMost: true },
  { applied: 5, gone: 2, isMost: false },
  { applied: 5, gone: 3, isMost: true },
  { applied: 100, gone: 50, isMost: false },
  { applied: 100, gone: 51, isMost: true },
];
for (const { applied, gone, isMost } of brakes)
  test(`${gone} of ${applied} units are ${isMost ? 'too many' : 'not too many'} to be destroyed by mistake`, () => {
    const names = Array.from({ length: applied }, (_, index) => `u${index}.service`);
    const stored = names.map((name) => listedUnit(name, one, { owner: 'shop' }));
    const files = names.slice(gone).map((name) => applyFile(name, one));
    const claims = Object.fromEntries(names.map((name) => [name, []]));
    assert.equal(destroysMost(planOf(files, { owner: 'shop', stored, claims })), isMost);
  });

test('units that others have, or own by now, neither count as destroyed nor hide that most are', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `${name}.service`);
  const stored = names.map((name, index) => listedUnit(name, one, index < 4 ? { owner: 'shop' } : {}));
  const plan = (hosts: readonly string[]) =>
    planOf([], {
      owner: 'shop',
      stored,
      claims: Object.fromEntries(names.map((name) => [name, name < 'c' ? hosts : []])),
    });
  assert.equal(plan([]).owned, 4);
  assert.equal(destroysMost(plan([])), true);
  assert.equal(destroysMost(plan(['b1d7'])), false);
});

function planOf(
  files: readonly FolderUnit[],
  {
    stored,
    owner,
    claims,
  }: {
    readonly stored: readonly UnitEntity[];
    readonly owner: string | undefined;
    readonly claims: Readonly<Record<string, readonly string[]>>;
  },
): ApplyPlan {
  return decideApply({
    files: new Map(files.map((file) => [file.name, file])),
    stored: new Map(stored.map((unit) => [unit.name, unit])),
    owner,
    claims: new Map(Object.entries(claims)),
  });
}
