import assert from 'node:assert/strict';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { MachineId } from '@flotilla/cluster';
import { findUnit, listDirectories, MemoryStore, ranges } from '@flotilla/registry';
import { silentLogger, sleep, systemClock } from '@flotilla/runtime';
import { parseOwnerName, parseUnitName } from '@flotilla/unit';
import { createDirectories, type Directories } from './directories.js';
import { unitText } from './directories-harness.js';

// Real folders, real inotify and real time: each case has a directory of its own, and all wait at once.
const names = ['vim', 'shell', 'late', 'swap', 'links', 'configmap', 'many', 'renamed', 'checkout', 'gone'];
const store = new MemoryStore({ clock: systemClock });
const access = { store, log: silentLogger };
let root = '';
let directories: Directories;

const pathOf = (name: string) => join(root, name, 'units');

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'directories-'));
  for (const name of names) await mkdir(name === 'late' ? root : pathOf(name), { recursive: true });
  await rm(pathOf('swap'), { recursive: true });
  for (const release of ['one', 'two']) await mkdir(join(root, 'swap', release));
  await symlink('one', pathOf('swap'));
  directories = createDirectories({
    store,
    clock: systemClock,
    log: silentLogger,
    machine: 'm1' as MachineId,
    directories: names.map((name) => ({ name: parseOwnerName(name), path: pathOf(name) })),
    stateDirectory: join(root, 'state'),
  });
  directories.start();
});

after(async () => {
  await directories.close();
  await store.close();
  await rm(root, { recursive: true, force: true });
});

/** Waits until `read` gives `expected`; a minute at most. */
async function waitFor<T>(expected: T, read: () => Promise<T>): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + 60_000;
  let seen = await read();
  while (JSON.stringify(seen) !== JSON.stringify(expected) && systemClock.monotonicMs() < deadlineMs) {
    await sleep(systemClock, 100);
    seen = await read();
  }
  assert.deepEqual(seen, expected);
}

async function textOf(unit: string): Promise<string | undefined> {
  const found = await findUnit(access, parseUnitName(unit));
  return found && new TextDecoder().decode(found.file);
}

const becomes = (unit: string, text: string | undefined) => waitFor(text, () => textOf(unit));

async function heldOf(name: string): Promise<string | undefined> {
  const [host] = await listDirectories(access, parseOwnerName(name));
  return host?.record.held?.why;
}

/** All contents that a unit has, one after the other, until the end of the test. */
function contentsOf(unit: string): { readonly seen: string[]; close(): void } {
  const seen: string[] = [];
  const note = async () => {
    const text = await textOf(unit);
    if (text !== undefined && text !== seen.at(-1)) seen.push(text);
  };
  const range = { from: `${ranges.units.from}${unit}` };
  const watch = store.watch(
    { ranges: [range], fromRevision: store.revision + 1 },
    { onEvents: () => void note(), onBroken: () => undefined },
  );
  return { seen, close: () => watch.close() };
}

const concurrency = true;

test('on a disk', { concurrency }, async (t) => {
  const cases: Promise<void>[] = [];
  const isCase = (title: string, run: () => Promise<void>) => cases.push(t.test(title, run));

  isCase('an editor that keeps a backup and writes anew shows nothing in between', async () => {
    const path = join(pathOf('vim'), 'vim.service');
    const contents = contentsOf('vim.service');
    await writeFile(path, unitText(1));
    await becomes('vim.service', unitText(1));
    await writeFile(join(dirname(path), '4913'), '');
    await unlink(join(dirname(path), '4913'));
    await rename(path, `${path}~`);
    await writeFile(path, unitText(2));
    await unlink(`${path}~`);
    await becomes('vim.service', unitText(2));
    await writeFile(join(dirname(path), '.vim.service.tmp'), unitText(3));
    await rename(join(dirname(path), '.vim.service.tmp'), path);
    await becomes('vim.service', unitText(3));
    assert.deepEqual(contents.seen, [1, 2, 3].map(unitText));
    contents.close();
  });

  isCase('a file that is truncated and written slowly shows nothing in between', async () => {
    const path = join(pathOf('shell'), 'shell.service');
    const contents = contentsOf('shell.service');
    await writeFile(path, unitText(1));
    await becomes('shell.service', unitText(1));
    await writeFile(path, '');
    for (const part of ['[Service]\nExecStart=/bin/sl', 'eep', ' 2', '\n']) {
      await sleep(systemClock, 700);
      await appendFile(path, part);
    }
    await becomes('shell.service', unitText(2));
    assert.deepEqual(contents.seen, [1, 2].map(unitText));
    contents.close();
  });

  isCase('a directory that appears later, with all above it, is followed', async () => {
    await mkdir(pathOf('late'), { recursive: true });
    await writeFile(join(pathOf('late'), 'late.service'), unitText(1));
    await becomes('late.service', unitText(1));
    await writeFile(join(pathOf('late'), 'late.service'), unitText(2));
    await becomes('late.service', unitText(2));
  });

  isCase('a directory that is moved away and comes back loses nothing', async () => {
    const [path, away] = [pathOf('renamed'), join(root, 'renamed', 'away')];
    await writeFile(join(path, 'renamed.service'), unitText(1));
    await becomes('renamed.service', unitText(1));
    await rename(path, away);
    await waitFor('directory-gone', () => heldOf('renamed'));
    await mkdir(path);
    await waitFor('another-directory', () => heldOf('renamed'));
    await rm(path, { recursive: true });
    await rename(away, path);
    await waitFor(undefined, () => heldOf('renamed'));
    await writeFile(join(path, 'renamed.service'), unitText(2));
    await becomes('renamed.service', unitText(2));
  });

  isCase('a file in place of the directory holds its units', async () => {
    await writeFile(join(pathOf('gone'), 'gone.service'), unitText(1));
    await becomes('gone.service', unitText(1));
    await rm(pathOf('gone'), { recursive: true });
    await writeFile(pathOf('gone'), 'not a directory');
    await waitFor('directory-gone', () => heldOf('gone'));
    assert.equal(await textOf('gone.service'), unitText(1));
  });

  isCase('a link to the directory that is swapped brings the other one’s files', async () => {
    await writeFile(join(root, 'swap', 'one', 'swap.service'), unitText(1));
    await writeFile(join(root, 'swap', 'two', 'swap.service'), unitText(2));
    await writeFile(join(root, 'swap', 'two', 'swap2.service'), unitText(2));
    await becomes('swap.service', unitText(1));
    await symlink('two', join(root, 'swap', 'next'));
    await rename(join(root, 'swap', 'next'), pathOf('swap'));
    await becomes('swap.service', unitText(2));
    await becomes('swap2.service', unitText(2));
    await writeFile(join(root, 'swap', 'two', 'swap.service'), unitText(3));
    await becomes('swap.service', unitText(3));
  });

  isCase('what a link leads to is followed, be it elsewhere', async () => {
    const target = join(root, 'links', 'links.service');
    await writeFile(target, unitText(1));
    await symlink(target, join(pathOf('links'), 'links.service'));
    await becomes('links.service', unitText(1));
    await writeFile(target, unitText(2));
    await becomes('links.service', unitText(2));
  });

  isCase('a directory whose entries are swapped by one link is followed', async () => {
    const path = pathOf('configmap');
    for (const release of ['..1', '..2']) {
      await mkdir(join(path, release));
      await writeFile(join(path, release, 'configmap.service'), unitText(release.slice(-1)));
    }
    await symlink('..1', join(path, '..data'));
    await symlink('..data/configmap.service', join(path, 'configmap.service'));
    await becomes('configmap.service', unitText(1));
    await symlink('..2', join(path, '..next'));
    await rename(join(path, '..next'), join(path, '..data'));
    await becomes('configmap.service', unitText(2));
  });

  isCase('a thousand files are a handful of passes; so is their removal, but for what the brake holds', async () => {
    const path = pathOf('many');
    const unit = (at: number) => join(path, `many${at}.service`);
    const count = 1_000;
    for (let at = 0; at < count; at++) await writeFile(unit(at), unitText(at));
    const unitsOf = async () => (await listDirectories(access, parseOwnerName('many')))[0]?.record.units;
    await waitFor(count, unitsOf);
    for (let at = 0; at < count / 4; at++) await unlink(unit(at));
    await waitFor((count * 3) / 4, unitsOf);
    const [host] = await listDirectories(access, parseOwnerName('many'));
    assert.ok((host?.record.pass ?? 0) <= 12, `${host?.record.pass} passes`);
  });

  isCase('a checkout that rewrites, adds and removes ends as it should', async () => {
    const path = pathOf('checkout');
    const write = (name: string, text: string) => writeFile(join(path, name), text);
    for (const at of [1, 2, 3, 4]) await write(`checkout${at}.service`, unitText(at));
    await becomes('checkout4.service', unitText(4));
    for (const at of [1, 2]) {
      await unlink(join(path, `checkout${at}.service`));
      await write(`checkout${at}.service`, unitText(`9${at}`));
    }
    await unlink(join(path, 'checkout3.service'));
    await write('checkout5.service', unitText(5));
    await becomes('checkout1.service', unitText(91));
    await becomes('checkout2.service', unitText(92));
    await becomes('checkout3.service', undefined);
    await becomes('checkout4.service', unitText(4));
    await becomes('checkout5.service', unitText(5));
  });

  await Promise.all(cases);
  const state = await readdir(join(root, 'state', 'directories'));
  assert.ok(state.includes('vim.json'));
  assert.match(
    await readFile(join(root, 'state', 'directories', 'vim.json'), 'utf8'),
    /^\{"pass":3,"place":"\d+:\d+:\d+",/,
  );
});
