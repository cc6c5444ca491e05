import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryStore } from '@flotilla/registry';
import { silentLogger, TestClock } from '@flotilla/runtime';
import { MemoryUnitManager } from '@flotilla/systemd';
import { hashUnitFile, parseUnitFile, type UnitName } from '@flotilla/unit';
import { carryOut } from './carry-out.js';
import type { DesiredUnit } from './desired.js';
import { service, sleeper } from './memory-host.js';
import type { Task } from './reconcile.js';
import { StartedRecords } from './started-records.js';
import { UnitContents } from './unit-contents.js';

test('a machine that comes to count as lost while it starts many units starts no more than one call of them', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-carry-out-'));
  context.after(() => rm(directory, { recursive: true }));
  const clock = new TestClock();
  const store = new MemoryStore({ clock });
  const calls: string[] = [];
  const onCall = (call: string, names: readonly UnitName[]) => void calls.push(`${call} ${names.length}`);
  const names = Array.from({ length: 600 }, (_, index) => service(`u${index}`));
  const hash = hashUnitFile(parseUnitFile(sleeper));
  const wish: DesiredUnit = { kind: 'present', isLaunched: true, hash, file: '', uid: 1, order: 1 };
  await carryOut(
    names.map((unit): Task => ({ kind: 'start', unit, why: 'never-started' })),
    new Map(names.map((name) => [name, wish])),
    {
      unitManager: new MemoryUnitManager({ clock, onCall }),
      started: new StartedRecords(directory, silentLogger),
      contents: new UnitContents(store),
      clock,
      log: silentLogger,
      mayAct: () => calls.length === 0,
    },
  );
  await store.close();
  assert.deepEqual(calls, ['start 500']);
});
