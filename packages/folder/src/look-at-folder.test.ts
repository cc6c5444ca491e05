import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { compileFolder } from './compile-folder.js';
import type { FolderEntry, FolderFault } from './folder-model.js';
import { type FolderLook, hasFolderMoved, lookAtFolder } from './look-at-folder.js';
import { good } from './testing/folder-cases.js';

function makeFolder(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'folder-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function thereOf(look: FolderLook): Extract<FolderLook, { kind: 'there' }> {
  assert.equal(look.kind, 'there', JSON.stringify(look));
  return look.kind === 'there' ? look : assert.fail();
}

async function entriesOf(path: string, previous?: FolderLook): Promise<ReadonlyMap<string, FolderEntry>> {
  return new Map(thereOf(await lookAtFolder(path, previous)).entries.map((entry) => [entry.name, entry]));
}

function faultOf(entry: FolderEntry | undefined): FolderFault {
  assert.ok(entry !== undefined && !(entry.content instanceof Uint8Array), 'there is a fault');
  return entry.content;
}

function textOf(entry: FolderEntry | undefined): string {
  assert.ok(entry?.content instanceof Uint8Array, JSON.stringify(entry));
  return Buffer.from(entry.content).toString();
}

/** Looked at until nothing is read again. */
async function lookTwice(path: string, previous?: FolderLook): Promise<FolderLook> {
  return lookAtFolder(path, await lookAtFolder(path, previous));
}

test('entries come by name with their bytes; what means nothing is left out', async (context) => {
  const path = makeFolder(context);
  const bytes = Buffer.from('\ufeff[Service]\r\nExecStart=/bin/a');
  writeFileSync(join(path, 'b.service'), bytes);
  writeFileSync(join(path, 'a@.service'), good);
  writeFileSync(join(path, 'a@.instances'), '1\n');
  writeFileSync(join(path, '.b.service.swp'), 'x');
  writeFileSync(join(path, 'b.service~'), 'x');
  mkdirSync(join(path, 'more'));
  const { entries } = thereOf(await lookAtFolder(path));
  assert.deepEqual(
    entries.map(({ name }) => name),
    ['a@.instances', 'a@.service', 'b.service'],
  );
  assert.ok(bytes.equals(Buffer.from(textOf(entries[2]))));
});

test('what has not changed is not read again, and keeps its bytes', async (context) => {
  const path = makeFolder(context);
  for (const name of ['a.service', 'b.service']) writeFileSync(join(path, name), good);
  const first = thereOf(await lookAtFolder(path));
  const second = thereOf(await lookAtFolder(path, first));
  assert.deepEqual(
    second.entries.map(({ isSure }) => isSure),
    [true, true],
  );
  writeFileSync(join(path, 'b.service'), `${good}#\n`);
  const third = thereOf(await lookAtFolder(path, second));
  assert.equal(third.entries[0], second.entries[0]);
  assert.equal(first.entries[0]?.content, third.entries[0]?.content);
  assert.notEqual(third.entries[1]?.signature, second.entries[1]?.signature);
  assert.equal(textOf(third.entries[1]), `${good}#\n`);
});

test('a file that changes twice within a tick of the clock is read again', async (context) => {
  const path = makeFolder(context);
  writeFileSync(join(path, 'a.service'), 'one');
  const first = thereOf(await lookAtFolder(path));
  const [entry] = first.entries;
  assert.ok(entry);
  // As if `one` had been read, and the same number of bytes written over it before the clock went on.
  const stale = { ...entry, content: Buffer.from('two'), signature: entry.signature.replace(/^\S+/, 'digest-of-two') };
  const [now] = thereOf(await lookAtFolder(path, { ...first, entries: [stale] })).entries;
  assert.equal(textOf(now), 'one');
  assert.notEqual(now?.signature, stale.signature);
});

test('the signature of other content is another one', async (context) => {
  const path = makeFolder(context);
  for (const [name, text] of Object.entries({ a: 'one', b: 'one', c: 'two' }))
    writeFileSync(join(path, `${name}.service`), text);
  const [a, b, c] = thereOf(await lookAtFolder(path)).entries.map(({ signature }) => signature.split(' ')[0]);
  assert.equal(a, b);
  assert.notEqual(b, c);
});

test('a change that keeps size and modification time is seen', async (context) => {
  const path = makeFolder(context);
  const file = join(path, 'a.service');
  const when = new Date(1_000_000_000_000);
  writeFileSync(file, 'one');
  utimesSync(file, when, when);
  const before = await lookTwice(path);
  writeFileSync(file, 'two');
  utimesSync(file, when, when);
  assert.equal(textOf((await entriesOf(path, before)).get('a.service')), 'two');
});

test('links have the content of what they lead to, and their own name', async (context) => {
  const [path, other] = [makeFolder(context), makeFolder(context)];
  writeFileSync(join(other, 'file'), good);
  symlinkSync(join(other, 'file'), join(path, 'absolute.service'));
  symlinkSync(`../${other.split('/').at(-1)}/file`, join(path, 'relative.service'));
  symlinkSync('absolute.service', join(path, 'chain.service'));
  const entries = await entriesOf(path);
  for (const name of ['absolute', 'relative', 'chain']) assert.equal(textOf(entries.get(`${name}.service`)), good);
  assert.equal(entries.get('chain.service')?.target, 'absolute.service');
});

test('a change behind a link is seen: of the file, of the link, and of a directory on the way', async (context) => {
  const path = makeFolder(context);
  for (const version of ['..1', '..2']) {
    mkdirSync(join(path, version));
    writeFileSync(join(path, version, 'a.service'), version);
  }
  symlinkSync('..1', join(path, '..data'));
  symlinkSync('..data/a.service', join(path, 'a.service'));
  const first = await lookTwice(path);
  assert.equal(await hasFolderMoved(path, first), false);
  symlinkSync('..2', join(path, '..data_tmp'));
  renameSync(join(path, '..data_tmp'), join(path, '..data'));
  const second = await lookTwice(path, first);
  assert.equal(textOf(thereOf(second).entries[0]), '..2');
  writeFileSync(join(path, '..2', 'a.service'), 'other');
  assert.equal(await hasFolderMoved(path, second), true);
  const third = await lookTwice(path, second);
  assert.equal(textOf(thereOf(third).entries[0]), 'other');
  rmSync(join(path, '..2'), { recursive: true });
  assert.equal(await hasFolderMoved(path, third), true);
  assert.equal(faultOf((await entriesOf(path, third)).get('a.service')).kind, 'dangling');
});

test('what is no file is a fault, told at once', async (context) => {
  const path = makeFolder(context);
  execFileSync('mkfifo', [join(path, 'pipe.service')]);
  const server = createServer().listen(join(path, 'socket.service'));
  context.after(() => server.close());
  mkdirSync(join(path, 'directory.service'));
  mkdirSync(join(path, 'a.service.d'));
  writeFileSync(join(path, 'b.service.d'), 'a file of that name means nothing');
  symlinkSync('pipe.service', join(path, 'link.service'));
  symlinkSync('directory.service', join(path, 'folder.service'));
  symlinkSync('/dev/null', join(path, 'null.service'));
  symlinkSync('null.service', join(path, 'null2.service'));
  symlinkSync('/dev/zero', join(path, 'zero.service'));
  symlinkSync('loop2.service', join(path, 'loop.service'));
  symlinkSync('loop.service', join(path, 'loop2.service'));
  symlinkSync('nothing', join(path, 'dangling.service'));
  symlinkSync('/etc/passwd/x', join(path, 'through.service'));
  writeFileSync(join(path, 'my web.service'), good);
  const faults = [...(await entriesOf(path)).values()].map((entry) => [entry.name, faultOf(entry).kind]);
  assert.deepEqual(Object.fromEntries(faults), {
    'a.service.d': 'drop-in',
    'dangling.service': 'dangling',
    'directory.service': 'directory',
    'folder.service': 'directory',
    'link.service': 'special',
    'loop.service': 'loop',
    'loop2.service': 'loop',
    'my web.service': 'misnamed',
    'null.service': 'masked',
    'null2.service': 'masked',
    'pipe.service': 'special',
    'socket.service': 'special',
    'through.service': 'dangling',
    'zero.service': 'special',
  });
});

test('a fault goes when its cause goes', async (context) => {
  const path = makeFolder(context);
  const file = join(path, 'a.service');
  mkdirSync(file);
  const broken = await lookTwice(path);
  rmSync(file, { recursive: true });
  writeFileSync(file, good);
  assert.equal(textOf((await entriesOf(path, broken)).get('a.service')), good);
});

test('a file that is too large is not read', async (context) => {
  const path = makeFolder(context);
  writeFileSync(join(path, 'most.service'), Buffer.alloc(1024 * 1024, '#'));
  writeFileSync(join(path, 'more.service'), Buffer.alloc(1024 * 1024 + 1, '#'));
  execFileSync('truncate', ['-s', '1T', join(path, 'huge.units')]);
  const entries = await entriesOf(path);
  assert.equal(textOf(entries.get('most.service')).length, 1024 * 1024);
  assert.equal(faultOf(entries.get('more.service')).kind, 'too-large');
  assert.equal(faultOf(entries.get('huge.units')).kind, 'too-large');
});

test('what everybody may write to is not taken', async (context) => {
  const path = makeFolder(context);
  writeFileSync(join(path, 'a.service'), good);
  chmodSync(join(path, 'a.service'), 0o666);
  assert.equal(faultOf((await entriesOf(path)).get('a.service')).kind, 'open-to-all');
  chmodSync(path, 0o1777);
  const look = await lookAtFolder(path);
  assert.equal(look.kind === 'missing' && look.why, 'open-to-all');
});

test('a directory that belongs to somebody else is not taken', async (context) => {
  if (process.geteuid?.() !== 0) return context.skip('only root can give a directory away');
  const path = makeFolder(context);
  chownSync(path, 65_534, 0);
  const look = await lookAtFolder(path);
  assert.equal(look.kind === 'missing' && look.why, 'open-to-all');
  assert.match(look.kind === 'missing' ? look.message : '', /belongs to user 65534/);
});

test('a folder that is not there, or is none, is missing', async (context) => {
  const path = makeFolder(context);
  writeFileSync(join(path, 'file'), '');
  symlinkSync('nothing', join(path, 'dangling'));
  symlinkSync('loop', join(path, 'loop'));
  const why = async (name: string) => {
    const look = await lookAtFolder(join(path, name));
    return look.kind === 'missing' && look.why;
  };
  assert.equal(await why('none'), 'absent');
  assert.equal(await why('dangling'), 'absent');
  assert.equal(await why('file'), 'not-a-directory');
  assert.equal(await why('file/x'), 'not-a-directory');
  assert.equal(await why('loop'), 'unreadable');
});

test('a folder in which entries come and go has moved', async (context) => {
  const path = makeFolder(context);
  const longAgo = new Date(1_000_000_000_000);
  const lookLongAgo = async () => {
    utimesSync(path, longAgo, longAgo);
    return lookAtFolder(path);
  };
  const empty = await lookLongAgo();
  assert.equal(await hasFolderMoved(path, empty), false);
  writeFileSync(join(path, 'a.service'), good);
  assert.equal(await hasFolderMoved(path, empty), true);
  const full = await lookLongAgo();
  rmSync(join(path, 'a.service'));
  assert.equal(await hasFolderMoved(path, full), true);
});

test('another directory at the same path has another place', async (context) => {
  const path = makeFolder(context);
  const folder = join(path, 'units');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.service'), good);
  const first = thereOf(await lookTwice(folder));
  renameSync(folder, join(path, 'old'));
  assert.equal(await hasFolderMoved(folder, first), true);
  mkdirSync(folder);
  assert.equal(await hasFolderMoved(folder, first), true);
  const second = thereOf(await lookAtFolder(folder, first));
  assert.notEqual(second.place, first.place);
  assert.deepEqual(second.entries, []);
});

test('another directory with the inode of the former one has another place', async (context) => {
  const folder = join(makeFolder(context), 'units');
  const make = () => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    writeFileSync(join(folder, 'README'), '');
    return statSync(folder, { bigint: true });
  };
  const former = make();
  const { place } = thereOf(await lookAtFolder(folder));
  for (let attempt = 0; attempt < 2_000; attempt++) {
    const { ino, birthtimeNs } = make();
    if (ino !== former.ino || birthtimeNs === former.birthtimeNs) continue;
    assert.notEqual(thereOf(await lookAtFolder(folder)).place, place);
    return;
  }
  context.skip('this file system gives no inode out again, or knows no births');
});

test('files come and go while the folder is looked at: each is whole, gone or to be read again', async (context) => {
  const path = makeFolder(context);
  const texts = ['#\n'.repeat(100), '# more\n'.repeat(30_000)].map((comment) => comment + good);
  const script = `i=0; while :; do for n in 1 2 3 4 5; do cp $0/$((i % 2)) $0/.t; mv $0/.t $0/u$n.service; rm -f $0/u$(((i + n) % 5 + 1)).service; done; i=$((i + 1)); done`;
  for (const [index, text] of texts.entries()) writeFileSync(join(path, String(index)), text);
  const { spawn } = await import('node:child_process');
  const writer = spawn('sh', ['-c', script, path], { stdio: 'ignore' });
  context.after(() => writer.kill('SIGKILL'));
  let previous: FolderLook | undefined;
  let seen = 0;
  for (let count = 0; count < 200; count++) {
    previous = await lookAtFolder(path, previous);
    const { units, problems } = compileFolder(thereOf(previous).entries);
    assert.deepEqual(problems, []);
    for (const { bytes } of units.values()) assert.ok(texts.includes(Buffer.from(bytes).toString()));
    seen += units.size;
  }
  assert.ok(seen > 100, `too few files were seen: ${seen}`);
});
