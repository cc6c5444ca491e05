import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
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
  ['so much that it counts as another file', lines(3000, 'a'), lines(3000, 'b')],
  ['so much, without a newline', `${lines(3000, 'a')}x`, `${lines(3000, 'b')}y`],
] as const;
for (const name of ['web@1.service', String.raw`a\x2db.service`])
  for (const [what, stored, text] of texts)
    test(`patch and git apply take a diff of ${name}: ${what}`, async (context) => {
      const diff = (await loadUnitDiff())({ name, stored, text, source: '/etc/units/x.units:7' });
      await takes(context, ['patch', ['-p1', '-i', 'x.diff']], { name, stored, text, diff });
      // git goes by the second name.
      const own = (await loadUnitDiff())({ name, stored, text, source: name });
      await takes(context, ['git', ['apply', '--unidiff-zero', 'x.diff']], { name, stored, text, diff: own });
    });

interface Patched {
  readonly name: string;
  readonly stored: string;
  readonly text: string;
  readonly diff: string;
}

async function takes(
  context: TestContext,
  [program, words]: readonly [string, readonly string[]],
  { name, stored, text, diff }: Patched,
): Promise<void> {
  if (spawnSync(program, ['--version']).error !== undefined) {
    context.diagnostic(`${program} is not installed: it was not asked`);
    return;
  }
  const folder = await folderOf(context, {});
  await mkdir(join(folder, 'work'));
  const cwd = join(folder, 'work');
  await writeFile(join(cwd, name), stored);
  await writeFile(join(cwd, 'x.diff'), `change something else\n${diff}1 to change\n`);
  await call(program, words, { cwd, env: { ...process.env, GIT_CEILING_DIRECTORIES: folder } });
  assert.equal(await readFile(join(cwd, name), 'utf8'), text);
}

test('a diff names what it is between', async () => {
  const diffOf = await loadUnitDiff();
  const diff = diffOf({ name: 'web.service', stored: 'a\n', text: 'b\n', source: './units/web.service' });
  assert.equal(diff, '--- a/web.service\t(cluster)\n+++ b/./units/web.service\n@@ -1,1 +1,1 @@\n-a\n+b\n');
});
