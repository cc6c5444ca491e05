import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DirectoryDescription } from '@flotilla/directories';
import { parseOwnerName } from '@flotilla/unit';
import { directoryAlarms } from './directory-alarms.js';

const fine: DirectoryDescription = {
  name: parseOwnerName('local'),
  path: '/etc/fleet/units',
  isThere: true,
  units: 5,
  problemCount: 1,
  conflictCount: 1,
};

test('a directory is an alarm only while it holds removals back', () => {
  assert.deepEqual(directoryAlarms([fine]), []);
  const held: DirectoryDescription = { ...fine, isThere: false, held: { why: 'directory-gone', count: 5 } };
  assert.deepEqual(directoryAlarms([fine, held]), [
    {
      code: 'directory-held',
      message:
        'the directory local (/etc/fleet/units) holds back removals: it is not there, so 5 units stay. To keep them, bring it back (a file system may not be mounted); to have them destroyed, fleetctl dirs confirm local',
    },
  ]);
});

test('one that the configuration does not name any more has no path', () => {
  const held: DirectoryDescription = { ...fine, path: '', held: { why: 'not-configured', count: 1 } };
  assert.match(directoryAlarms([held])[0]?.message ?? '', /^the directory local holds back .*, so 1 unit stays\./);
});
