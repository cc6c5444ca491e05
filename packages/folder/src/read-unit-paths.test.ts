import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { FolderContent } from './folder-model.js';
import { readUnitPaths } from './read-unit-paths.js';
import { good } from './testing/folder-cases.js';

/** Two folders, `one` and `two`. */
function makeFolders(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'folder-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  for (const name of ['one', 'two']) mkdirSync(join(path, name));
  writeFileSync(join(path, 'one', 'a.service'), good);
  writeFileSync(join(path, 'one', 'README'), 'x');
  writeFileSync(join(path, 'two', 'b@.service'), good);
  writeFileSync(join(path, 'two', 'x.units'), `# ---- c.service\n${good}`);
  return path;
}

function shown(content: FolderContent, path: string): string[] {
  const units = [...content.units.values()].map(({ name, source, line }) => `${name} ${source}:${line}`);
  const problems = content.problems.map(({ source, line, message }) => `${source}:${line ?? ''} ${message}`);
  return [...units, ...problems].map((text) => text.replaceAll(path, ''));
}

test('folders, files and bundles are read together, under the paths that were given', async (context) => {
  const path = makeFolders(context);
  const content = await readUnitPaths([`${path}/one/`, `${path}/two`]);
  assert.deepEqual(shown(content, path), [
    'a.service /one/a.service:1',
    'b@.service /two/b@.service:1',
    'c.service /two/x.units:2',
  ]);
  const files = await readUnitPaths([`${path}/two/x.units`, `${path}/one/../one/a.service`]);
  assert.deepEqual(shown(files, path), ['a.service /one/../one/a.service:1', 'c.service /two/x.units:2']);
});

test('a list in one folder has its template in another', async (context) => {
  const path = makeFolders(context);
  writeFileSync(join(path, 'one', 'b@.instances'), '1');
  const content = await readUnitPaths([`${path}/one/b@.instances`, `${path}/two/b@.service`]);
  assert.deepEqual(shown(content, path), ['b@.service /two/b@.service:1', 'b@1.service /one/b@.instances:1']);
});

test('what is given twice counts once, and two of one name count nowhere', async (context) => {
  const path = makeFolders(context);
  assert.equal((await readUnitPaths([`${path}/one`, `${path}/one/a.service`, `${path}/one/`])).problems.length, 0);
  writeFileSync(join(path, 'two', 'a.service'), good);
  const content = await readUnitPaths([`${path}/one`, `${path}/two/a.service`]);
  assert.deepEqual(shown(content, path), [
    '/one/a.service:1 a.service is also in /two/a.service:1: keep one of them',
    '/two/a.service:1 a.service is also in /one/a.service:1: keep one of them',
  ]);
});

test('a path that means nothing is a problem', async (context) => {
  const path = makeFolders(context);
  const content = await readUnitPaths(
    ['none', 'none.service', 'none/', 'README', 'one/README'].map((name) => `${path}/${name}`),
  );
  assert.deepEqual(
    shown(content, path).map((text) => text.replace(/ \(.*\)/, '')),
    [
      '/README: there is no such file or directory',
      '/none: there is no such file or directory',
      '/none.service: there is no such file or directory',
      '/none/: there is no such file or directory',
      '/one/README: this is not the name of a unit: rename the file',
    ],
  );
});

test('a link to nothing makes an instance of a template that is given too', async (context) => {
  const path = makeFolders(context);
  symlinkSync('b@.service', join(path, 'one', 'b@7.service'));
  const alone = await readUnitPaths([`${path}/one/b@7.service`]);
  assert.match(shown(alone, path).join(), /^\/one\/b@7\.service: is a link to b@\.service, which is not there/);
  assert.equal((await readUnitPaths([`${path}/one/b@7.service`, `${path}/two`])).units.size, 3);
});

test('a person may name what everybody may write to', async (context) => {
  const path = makeFolders(context);
  chmodSync(join(path, 'one'), 0o777);
  chmodSync(join(path, 'one', 'a.service'), 0o666);
  assert.deepEqual(shown(await readUnitPaths([`${path}/one`]), path), ['a.service /one/a.service:1']);
});
