import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCreatedLinks, parseFailures, parseLoadedUnits, parseShow, saysUnreachable } from './systemctl-output.js';

test('failures are told by unit, hints are no failures', () => {
  const stderr = [
    'Failed to start nope.service: Unit nope.service not found.',
    'Failed to start bad.service: Unit bad.service has a bad unit file setting.',
    "See system logs and 'systemctl status bad.service' for details.",
    'Warning: The unit file of a.service changed on disk.',
  ].join('\n');
  assert.deepEqual(
    [...parseFailures(stderr)],
    [
      ['nope.service', 'Unit nope.service not found.'],
      ['bad.service', 'Unit bad.service has a bad unit file setting.'],
    ],
  );
});

test('a failure that names no unit is attributed to none', () => {
  assert.equal(parseFailures('Failed to link unit: Unit file /x/zzz.service does not exist.\n').size, 0);
});

test('a missing bus is told from a bad unit', () => {
  assert.equal(saysUnreachable('Failed to connect to bus: No such file or directory'), true);
  assert.equal(saysUnreachable('System has not been booted with systemd as init system (PID 1).'), true);
  assert.equal(saysUnreachable('Failed to start a.service: Unit a.service not found.'), false);
});

test('created links are told by their names', () => {
  const output = [
    'Created symlink /run/systemd/system/a.service → /var/lib/fleet/units/a.service.',
    'Created symlink "/run/systemd/system/x.target.wants/b@1.service" -> "/var/lib/fleet/units/b@1.service".',
  ].join('\n');
  assert.deepEqual([...parseCreatedLinks(output)], ['a.service', 'b@1.service']);
});

test('without a bus the same comes from show and list-jobs', () => {
  const show = [
    'LoadState=not-found\nActiveState=inactive\nSubState=dead\nJob=',
    'LoadState=loaded\nActiveState=deactivating\nSubState=stop\nJob=3595',
  ].join('\n\n');
  const statuses = parseShow(`${show}\n`, '3595 slow.service stop running\n', ['nope.service', 'slow.service']);
  assert.deepEqual(statuses.get('nope.service'), {
    load: 'not-found',
    active: 'inactive',
    sub: 'dead',
    job: undefined,
  });
  assert.deepEqual(statuses.get('slow.service'), { load: 'loaded', active: 'deactivating', sub: 'stop', job: 'stop' });
});

test('units in memory are listed with their states, and with their jobs if there are any', () => {
  const row = { unit: 'a.service', load: 'loaded', active: 'failed', sub: 'failed', description: '' };
  const status = { load: 'loaded', active: 'failed', sub: 'failed', job: undefined };
  assert.deepEqual([...parseLoadedUnits(JSON.stringify([row]))], [['a.service', status]]);
  const rows = [row, { ...row, unit: 'b.service', job: 'stop' }].map((each) => ({ job: '', ...each }));
  assert.deepEqual(
    [...parseLoadedUnits(JSON.stringify(rows))],
    [
      ['a.service', status],
      ['b.service', { ...status, job: 'stop' }],
    ],
  );
});
