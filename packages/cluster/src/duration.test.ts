import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDurationMs, parseDurationMs } from './duration.js';

test('durations are Go’s', () => {
  assert.equal(parseDurationMs('1m30s'), 90_000);
  assert.equal(parseDurationMs('1.5h'), 5_400_000);
  assert.equal(parseDurationMs('250ms'), 250);
  for (const text of ['', '5', 's', '-1s', '1 s', '1d']) assert.equal(parseDurationMs(text), undefined, text);
});

test('a duration is written in its largest units', () => {
  assert.equal(formatDurationMs(90_000), '1m30s');
  assert.equal(formatDurationMs(3_600_001), '1h1ms');
  assert.equal(formatDurationMs(604_800_000), '168h');
});
