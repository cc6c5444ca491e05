import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Logger, silentLogger } from '@flotilla/runtime';
import { service } from './memory-host.js';
import { StartedRecords } from './started-records.js';

const [web, db] = [service('web'), service('db')];

let parent: string;
let errors: number;
const log: Logger = { ...silentLogger, error: () => errors++ };
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'flotilla-started-'));
  errors = 0;
});
afterEach(() => rm(parent, { recursive: true }));

const open = () => new StartedRecords(join(parent, 'started'), log);

test('the next process of the same boot knows what was started', async () => {
  const records = open();
  await records.read();
  records.write(web, { uid: 5, order: 1 });
  records.write(db, { uid: 6, order: 2 });
  records.remove(web);
  assert.deepEqual([...(await open().read())], [[db, { uid: 6, order: 2 }]]);
});

test('what could not be written is known all the same, told once, and written later', async () => {
  const records = open();
  await records.read();
  records.write(db, { uid: 6, order: 1 });
  await rm(join(parent, 'started'), { recursive: true });
  await writeFile(join(parent, 'started'), 'in the way');
  for (let count = 0; count < 3; count++) records.write(web, { uid: 5, order: 1 });
  assert.deepEqual((await records.read()).get(web), { uid: 5, order: 1 });
  assert.equal(errors, 1);
  records.remove(db);
  assert.equal((await records.read()).has(db), false);
  await rm(join(parent, 'started'));
  await open().read();
  await records.read();
  assert.deepEqual([...(await open().read())], [[web, { uid: 5, order: 1 }]]);
});
