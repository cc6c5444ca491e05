import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTimeSpanMs } from './time-span.js';

test('time spans are read as systemd reads them', () => {
  const spans: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['10', 10_000],
    ['2.5', 2500],
    ['10s', 10_000],
    ['10 sec', 10_000],
    ['500ms', 500],
    ['1min 30s', 90_000],
    ['1min30', 90_000],
    ['2h', 7_200_000],
    [' 1 hour 2 minutes 3 seconds 4 msec ', 3_723_004],
    ['1d', 86_400_000],
    ['1w', 604_800_000],
  ];
  for (const [text, ms] of spans) assert.equal(parseTimeSpanMs(text), ms, text);
});

test('what is no time span is none', () => {
  for (const text of ['', ' ', 's', '-1', '1x', '1,5s', 'infinity', '10S', '1e3', 'soon', '5 %i'])
    assert.equal(parseTimeSpanMs(text), undefined, text);
});
