import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { folderOf } from './testing/in-process.js';
import { loadUnitDiff } from './unit-diff.js';

const call = promisify(execFile);
const lines = (count: number, text: string) =>
  Array.from({ length: count }, (_, index) => `Environment=${text}${index}=x\n`).join('');

const texts = [
  ['a line that changes', '[Service]\nExecStart=/a\n', '[Service]\nExecStart=/b\n'],
  ['no newline at the end', '[Service]\nExecStart=/a', '[Service]\nExecStart=/a\n'],
  ['no newline in either', '[Service]\nExecStart=/a', '[Service]\nExecStart=/b'],
  ['lines that end as on Windows', '[Service]\r\nExecStart=/a\r\n', '[Service]\nExecStart=/a\n'],
  ['lines that look like those of a patch', '# -- a\n-- b\n+++ c\n', '# -- a\n--- b\n@@ -1 +1 @@\n'],
  ['everything', '', '[Service]\nExecStart=/ä\n'],
  ['two places', `[A]\n${lines(20, 'a')}`, `[B]\n${lines(20, 'a')}# end\n`],
  ['so much that it counts as another file', lines(30_000, 'a'), lines(30_000, 'b')],
  ['so much, without a newline', `${lines(1500, 'a')}x`, `${lines(1500, 'b')}y`],
] as const;
const names = ['web@1.service', String.raw`a\x2db.service`];
const programs = [
  // It goes by the first name, git by the second.
  { program: 'patch', words: ['-p1', '-i', 'x.diff'], sourceOf: () => '/etc/units/x.units:7' },
  { program: 'git', words: ['apply', 'x.diff'], sourceOf: (name: string) => name },
];
for (const { program, words, sourceOf } of programs) {
  const isMissing = spawnSync(program, ['--version']).error !== undefined;
  for (const [index, [what, stored, text]] of texts.entries())
    test(`${program} takes a diff of ${what}`, {
      skip: isMissing && `${program} is not installed`,
    }, async (context) => {
      const diffOf = await loadUnitDiff();
      const name = names[index % names.length] ?? '';
      const diff = diffOf({ name, stored, text, source: sourceOf(name) });
      const folder = await folderOf(context, {
        [`work/${name}`]: stored,
        'work/x.diff': `change ${name}\n${diff}1 to change\n`,
      });
      const cwd = join(folder, 'work');
      await call(program, words, { cwd, env: { ...process.env, GIT_CEILING_DIRECTORIES: folder } });
      assert.equal(await readFile(join(cwd, name), 'utf8'), text);
    });
}

test('a diff names what it is between', async () => {
  const diffOf = await loadUnitDiff();
  const diff = diffOf({ name: 'web.service', stored: 'a\n', text: 'b\n', source: './units/web.service' });
  assert.equal(diff, '--- a/web.service\t(cluster)\n+++ b/units/web.service\n@@ -1,1 +1,1 @@\n-a\n+b\n');
});
