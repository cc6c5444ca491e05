import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestClock } from '@flotilla/runtime';
import { MemoryUnitManager } from '@flotilla/systemd';
import { service } from './memory-host.js';
import { findPartitionStops } from './partition-stops.js';

test('units that may not go on without contact are known by their files on the disk', async () => {
  const unitManager = new MemoryUnitManager({ clock: new TestClock() });
  const drop = (name: string, text: string) =>
    unitManager.dropFile({ name: service(name), content: new TextEncoder().encode(text) });
  drop('stops', '[X-Fleet]\nOnPartition=stop\nOnPartitionStopSec=2s\n');
  drop('keeps', '[X-Fleet]\nOnPartition=keep\n');
  drop('newer', '[X-Fleet]\nOnPartition=stop\nNotKnownYet=1\n');
  drop('broken', '[X-Fleet]\nOnPartition=stop\nMachineOf=%\n');
  drop('other', '[X-Fleet]\nOnPartition=stop\n');
  const names = ['stops', 'keeps', 'newer', 'broken', 'missing'].map(service);
  assert.deepEqual(
    [...(await findPartitionStops(names, unitManager))],
    [
      [service('stops'), { afterMs: 2000 }],
      [service('newer'), { afterMs: 10_000 }],
    ],
  );
});
