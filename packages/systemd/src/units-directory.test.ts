import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { silentLogger, sleep, systemClock, TestClock } from '@flotilla/runtime';
import { parseUnitName } from '@flotilla/unit';
import { DirectoryWatch } from './directory-watch.js';
import { UnitsDirectory } from './units-directory.js';

const web = parseUnitName('web.service');
const content = new TextEncoder().encode('[Service]\nExecStart=/bin/true\n');

let parent: string;
let place: string;
let directory: UnitsDirectory;
let told: number;
let subscription: { close(): void };
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'flotilla-units-'));
  place = join(parent, 'units');
  directory = new UnitsDirectory(place, { clock: systemClock, log: silentLogger });
  told = 0;
  subscription = directory.onChange(() => told++);
  await directory.list();
});
afterEach(async () => {
  subscription.close();
  await rm(parent, { recursive: true });
});

/** Far longer than a change takes to be told. */
const patienceMs = 5000;

async function untilTold(count: number): Promise<void> {
  const endMs = systemClock.monotonicMs() + patienceMs;
  while (told < count && systemClock.monotonicMs() < endMs) await sleep(systemClock, 20);
  assert.equal(told, count);
}

test('tells what others do to unit files, and not what it does itself', async () => {
  let hasSeen = false;
  const isForeignChange = (entry: string) => entry === 'notes.txt';
  const witness = new DirectoryWatch({ directory: place, clock: systemClock, log: silentLogger, isForeignChange });
  const watching = witness.listen(() => {
    hasSeen = true;
  });
  witness.keepUp('');
  directory.write({ name: web, content });
  directory.write({ name: parseUnitName('db.service'), content });
  await directory.remove(parseUnitName('db.service'));
  await writeFile(join(place, 'notes.txt'), 'hello');
  while (!hasSeen) await sleep(systemClock, 20);
  watching.close();
  assert.equal(told, 0);
  await writeFile(join(place, web), 'edited');
  await untilTold(1);
  await directory.list();
  await rm(join(place, web));
  await untilTold(2);
});

test('goes on where another directory has taken the place', async () => {
  await rename(place, `${place}.old`);
  await untilTold(1);
  await directory.list();
  await writeFile(join(place, web), content);
  await untilTold(2);
});

test('hears of its own end however its path is written', async () => {
  subscription.close();
  directory = new UnitsDirectory(`${place}/`, { clock: systemClock, log: silentLogger });
  subscription = directory.onChange(() => told++);
  await directory.list();
  await rename(place, `${place}.old`);
  await untilTold(1);
});

test('goes on where the next directory at its place has the same inode', async () => {
  subscription.close();
  const watch = new DirectoryWatch({
    directory: place,
    clock: systemClock,
    log: silentLogger,
    isForeignChange: () => true,
  });
  const watching = watch.listen(() => told++);
  watch.keepUp('1');
  await rm(place, { recursive: true });
  await mkdir(place);
  // By whoever looks before it is known that the directory was another one.
  watch.keepUp('1');
  await untilTold(1);
  watch.keepUp('1');
  await writeFile(join(place, web), content);
  await untilTold(2);
  watching.close();
});

test('tells of a change while others keep coming, and of one that came before another directory took the place', async () => {
  subscription.close();
  const clock = new TestClock();
  const isForeignChange = (entry: string) => entry === web;
  const watch = new DirectoryWatch({ directory: place, clock, log: silentLogger, isForeignChange });
  const watching = watch.listen(() => told++);
  watch.keepUp('1');
  await writeFile(join(place, web), content);
  const endMs = systemClock.monotonicMs() + patienceMs;
  for (let count = 0; told === 0 && systemClock.monotonicMs() < endMs; count++) {
    await writeFile(join(place, `notes-${count}`), '');
    await sleep(systemClock, 5);
    await clock.advance(50);
    watch.keepUp(String(count));
  }
  watching.close();
  assert.equal(told, 1);
});

test('reads what can be read', async () => {
  const db = parseUnitName('db.service');
  await mkdir(join(place, web));
  directory.write({ name: db, content });
  assert.deepEqual([...(await directory.readAll([web, db])).keys()], [db]);
});

test("puts a file where a stranger's link is, and leaves alone what that leads to", async () => {
  await writeFile(join(parent, 'other'), content);
  await symlink(join(parent, 'other'), join(place, web));
  assert.equal((await directory.list()).size, 0);
  directory.write({ name: web, content });
  assert.equal((await directory.list()).size, 1);
  directory.write({ name: web, content: new Uint8Array([65]) });
  assert.deepEqual(await readFile(join(parent, 'other')), Buffer.from(content));
});
