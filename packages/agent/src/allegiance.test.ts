import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeRecord, keys, MemoryStore } from '@flotilla/registry';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { Allegiance } from './allegiance.js';
import { AssignmentFile } from './assignment-file.js';

test('an answer that comes late is no sign that the store went back', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-allegiance-'));
  const store = new MemoryStore({ clock: new TestClock() });
  context.after(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  const put = { kind: 'put', key: keys.cluster, value: encodeRecord({ uuid: 'one', schema: 1 }) } as const;
  await store.transact({ success: [put] });
  const file = new AssignmentFile(directory);
  const allegiance = new Allegiance({ store, file, log: silentLogger });
  await allegiance.verify(new Map());
  const range = store.range.bind(store);
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  store.range = async (request) => {
    const answer = await range(request);
    await gate;
    return answer;
  };
  const verified = allegiance.verify(new Map());
  await store.transact({ success: [put] });
  const remembered = allegiance.remember(new Map(), store.revision);
  // As much time as writing a file takes, and more.
  for (let count = 0; count < 50; count++) await file.load();
  open();
  await Promise.all([verified, remembered]);
  assert.equal(allegiance.freezeReason, undefined);
  assert.equal((await file.load()).frozen, undefined);
  assert.equal((await file.load()).revision, store.revision);
});
