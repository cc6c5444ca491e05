import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { lookAtFolder } from './look-at-folder.js';
import { type ReadFile, readSafely } from './read-safely.js';

const most = 1024 * 1024;

function makeFile(context: TestContext, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'folder-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.service');
  writeFileSync(path, content);
  return path;
}

/** Opens a file to which something happens right before it is read for the first time. */
function openThen(context: TestContext, happen: () => void): typeof open {
  return async (...args): Promise<FileHandle> => {
    const file = await open(...args);
    const { read } = file;
    context.mock.method(file, 'read', (...rest: Parameters<typeof read>) => {
      happen();
      context.mock.restoreAll();
      return Reflect.apply(read, file, rest);
    });
    return file;
  };
}

function bytesOf(read: ReadFile): Buffer {
  return read.kind === 'read' ? Buffer.from(read.bytes) : assert.fail(JSON.stringify(read));
}

function messageOf(read: ReadFile): string {
  return read.kind === 'fault' ? `${read.fault.kind}: ${read.fault.message}` : assert.fail(JSON.stringify(read));
}

for (const size of [0, 1, 4096, most])
  test(`a file of ${size} bytes is read whole`, async (context) => {
    const content = Buffer.alloc(size, 'abc');
    assert.ok(content.equals(bytesOf(await readSafely(makeFile(context, content)))));
  });

test('a file that grows while it is read has at least what it had', async (context) => {
  const path = makeFile(context, 'one');
  const bytes = bytesOf(
    await readSafely(
      path,
      openThen(context, () => appendFileSync(path, ' and two')),
    ),
  );
  assert.match(bytes.toString(), /^one( and two|.)?$/);
});

test('a file that grows beyond the limit while it is read is too large', async (context) => {
  const path = makeFile(context, 'one');
  const opener = openThen(context, () => appendFileSync(path, Buffer.alloc(most)));
  assert.match(messageOf(await readSafely(path, opener)), /^too-large: is larger than 1048576 bytes/);
});

test('a file that loses its content while it is read has none', async (context) => {
  const path = makeFile(context, 'x'.repeat(10_000));
  assert.equal(
    bytesOf(
      await readSafely(
        path,
        openThen(context, () => writeFileSync(path, '')),
      ),
    ).length,
    0,
  );
});

test('a file that is replaced while it is read is the former one', async (context) => {
  const path = makeFile(context, 'one');
  writeFileSync(`${path}.new`, 'other');
  const opener = openThen(context, () => renameSync(`${path}.new`, path));
  assert.equal(bytesOf(await readSafely(path, opener)).toString(), 'one');
});

test('a pipe that has taken the place of a file is not waited for', async (context) => {
  const path = makeFile(context, '');
  rmSync(path);
  execFileSync('mkfifo', [path]);
  assert.deepEqual(await readSafely(path), { kind: 'gone' });
});

test('a file that is not there any more is gone', async (context) => {
  assert.deepEqual(await readSafely(`${makeFile(context, '')}.x`), { kind: 'gone' });
});

test('what says that it is empty is read up to the limit', async (context) => {
  const path = '/proc/kallsyms';
  if (!existsSync(path)) return context.skip(`there is no ${path}`);
  assert.match(messageOf(await readSafely(path)), /^too-large: /);
});

test('an error of the disk is a fault', async (context) => {
  const path = makeFile(context, '');
  rmSync(path);
  // Nothing is at address 0 of a process.
  symlinkSync('/proc/self/mem', path);
  assert.match(messageOf(await readSafely(path)), /^unreadable: cannot be read: .*\(EIO\)/);
});

test('a file that may not be read is a fault that says who is to be let in, and is taken once it may', async (context) => {
  if (process.geteuid?.() !== 0) return context.skip('only root can become somebody else');
  const path = makeFile(context, 'one');
  const folder = path.slice(0, path.lastIndexOf('/'));
  chmodSync(folder, 0o755);
  chmodSync(path, 0o600);
  process.seteuid?.(65_534);
  context.after(() => process.seteuid?.(0));
  assert.match(
    messageOf(await readSafely(path)),
    /^unreadable: cannot be read: permission denied \(EACCES\): let user 65534/,
  );
  const look = await lookAtFolder(folder);
  assert.match(JSON.stringify(look), /"kind":"unreadable"/);
  process.seteuid?.(0);
  const after = await lookAtFolder(folder, look);
  assert.ok(after.kind === 'there' && after.entries[0]?.content instanceof Uint8Array);
});

test('files are closed, whatever comes of them', async (context) => {
  const path = makeFile(context, 'one');
  await readSafely(path);
  const before = readdirSync('/proc/self/fd').length;
  for (let count = 0; count < 20; count++)
    for (const each of [path, '/dev/null', '/proc/self/mem']) await readSafely(each);
  assert.equal(readdirSync('/proc/self/fd').length, before);
});
