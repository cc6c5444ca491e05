import assert from 'node:assert/strict';
import { test } from 'node:test';
import { journalFaults, missedStops } from './journal.js';

const line = (text: string, by = 'systemd[1]') => `Nov 23 02:17:09.163577 host-2 ${by}: ${text}`;
const killed = line('fleet.service: Main process exited, code=killed, status=9/KILL');
const watchdog = line('fleet.service: Watchdog timeout (limit 30s)!');
const aborted = line('fleet.service: Main process exited, code=killed, status=6/ABRT');

test('fleetd may end as often as it was killed, or did not answer systemd', () => {
  assert.deepEqual(journalFaults([killed, killed].join('\n'), 2), []);
  assert.deepEqual(journalFaults([killed, killed].join('\n'), 1), [killed]);
  assert.deepEqual(journalFaults([watchdog, aborted].join('\n'), 0), []);
  assert.deepEqual(journalFaults(aborted, 1), [aborted]);
  const exited = line('fleet.service: Main process exited, code=exited, status=1/FAILURE');
  assert.deepEqual(journalFaults(exited, 1), [exited]);
});

test('stack traces and what was thought impossible are told, ordinary lines are not', () => {
  const bad = [
    line('    at Term.commit (/opt/fleet/fleetd:3:120)', 'fleetd[94]'),
    line('engine pass failed error="inexplicable-refusal: nothing failed"', 'fleetd[94]'),
    line('node:internal/process: Unhandled promise rejection', 'fleetd[94]'),
  ];
  assert.deepEqual(journalFaults(bad.join('\n'), 0), bad);
  assert.deepEqual(journalFaults(line('starting units units=["test-at-1.service"] count=1', 'fleetd[94]'), 0), []);
});

test('a stop that the unit could not note is known from systemd', () => {
  const said = '1795419660.500000 host-1 systemd[1]: test-once-2.service: Sent signal SIGKILL to';
  const journal = [
    `${said} control process 577 (note) on client request.`,
    `${said} main process 5 (sleep) on client request.`,
  ];
  const stop = { unit: 'test-once-2.service', host: 'host-1', atMs: 1_795_419_660_500 };
  assert.deepEqual(missedStops(journal.join('\n')), [stop]);
  assert.deepEqual(missedStops(journal.join('\n').replace('(note)', '((note))')), [stop]);
});
