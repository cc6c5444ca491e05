import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequirements } from './requirements.js';
import { parseUnitFileWithLines } from './unit-file.js';
import type { PartitionStop } from './unit-model.js';
import { parseUnitName } from './unit-name.js';

function partitionStop(section: string, name = 'db@1.service'): PartitionStop | undefined {
  const parsed = parseUnitFileWithLines(`[X-Fleet]\n${section}`);
  return parseRequirements({ name: parseUnitName(name), ...parsed, source: 'u' }).partitionStop;
}

function refusedWith(section: string, message: string | RegExp): void {
  assert.throws(() => partitionStop(section), { name: 'UnitError', code: 'invalid-requirements', message });
}

test('a unit goes on when its machine has lost contact, unless it says otherwise', () => {
  assert.equal(partitionStop(''), undefined);
  assert.equal(partitionStop('Global=true'), undefined);
  assert.equal(partitionStop('OnPartition=keep'), undefined);
  assert.deepEqual(partitionStop('OnPartition=stop'), { afterMs: 10_000 });
  assert.deepEqual(partitionStop('OnPartition=stop\nGlobal=true'), { afterMs: 10_000 });
});

test('the last word counts, and the last time', () => {
  assert.deepEqual(partitionStop('OnPartition=keep\nOnPartition=stop'), { afterMs: 10_000 });
  assert.equal(partitionStop('OnPartition=stop\nOnPartition=keep'), undefined);
  const times = 'OnPartitionStopSec=1min\nOnPartition=stop\nOnPartitionStopSec=1s 500ms';
  assert.deepEqual(partitionStop(times), { afterMs: 1500 });
  assert.deepEqual(partitionStop('OnPartition=stop\nOnPartitionStopSec=0'), { afterMs: 0 });
  assert.deepEqual(partitionStop('OnPartition=stop\nOnPartitionStopSec=1h'), { afterMs: 3_600_000 });
  assert.deepEqual(partitionStop('OnPartition=stop\nOnPartitionStopSec=%i'), { afterMs: 1000 });
});

test('what is no word and no time is refused', () => {
  const word = 'u:2: [X-Fleet] OnPartition= is none of keep, stop: ';
  refusedWith('OnPartition=stopp', `${word}"stopp"; did you mean stop?`);
  refusedWith('OnPartition=', `${word}""`);
  refusedWith('OnPartition=true\nOnPartition=stop', `${word}"true"`);
  const time = 'u:3: [X-Fleet] OnPartitionStopSec= wants a time from 0 to 1h, like 10s or 1min 30s, but has';
  for (const text of ['', 'soon', '-1', 'infinity', '61min', '2h'])
    refusedWith(`OnPartition=stop\nOnPartitionStopSec=${text}`, `${time} "${text}"`);
});

test('a time without a stop is refused, whatever the order', () => {
  const says = 'OnPartitionStopSec= says nothing without OnPartition=stop';
  refusedWith('OnPartitionStopSec=5', `u:2: [X-Fleet] ${says}`);
  refusedWith('OnPartition=keep\nOnPartitionStopSec=5', `u:3: [X-Fleet] ${says}`);
  refusedWith('OnPartition=stop\nOnPartitionStopSec=5\nOnPartition=keep', `u:3: [X-Fleet] ${says}`);
});

test('a template may leave both to its instances', () => {
  assert.equal(partitionStop('OnPartition=%i\nOnPartitionStopSec=%i', 'db@.service'), undefined);
  assert.deepEqual(partitionStop('OnPartition=stop\nOnPartitionStopSec=%i', 'db@.service'), { afterMs: 10_000 });
});
