import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnitFile, noRequirements, type UnitName } from '@flotilla/unit';
import type { CurrentUnit } from './current.js';
import type { DesiredUnit } from './desired.js';
import { outgoingUnits, startedUnits, waitingUnits, withholdStarts } from './giving-way.js';
import { service } from './memory-host.js';
import { reconcile } from './reconcile.js';

const hash = hashUnitFile({ options: [] });
const [web, logs] = [service('web'), service('logs')];
const wish = { kind: 'present', isLaunched: true, hash, file: 'f', uid: 5, order: 1 } as const;
const absent = { kind: 'absent', why: 'conflict', hash, uid: 3 } as const;
const untouched = { kind: 'untouched', why: 'placed-here', hash, uid: 3 } as const;

const file = { hash, sha256: 'f' };
const at = (active: string, job?: string) => ({ load: 'loaded', active, sub: '', job });
const unit = (change: Partial<CurrentUnit>): CurrentUnit => ({
  file,
  status: at('inactive'),
  started: undefined,
  known: undefined,
  isHeld: false,
  isToldToStop: false,
  ...change,
});
const started = { uid: 3, order: 1 };
const running = unit({ status: at('active'), started });
const nowhere = unit({ file: undefined, status: { ...at('inactive'), load: 'not-found' } });
const webNames = new Map([[web, { ...noRequirements, conflicts: ['logs.*'] }]]);

/** What is to be done when `web` is to be here and conflicts with `logs`. */
function tasks(other: DesiredUnit, here: CurrentUnit, own: CurrentUnit = nowhere): string {
  const desired = new Map<UnitName, DesiredUnit>([
    [web, wish],
    [logs, other],
  ]);
  const current = new Map([
    [web, own],
    [logs, here],
  ]);
  const due = reconcile(desired, current);
  const waiting = waitingUnits(startedUnits(due), outgoingUnits(desired, current), webNames);
  return withholdStarts(due, waiting)
    .map((task) => `${task.kind} ${task.unit.replace('.service', '')}`)
    .join(', ');
}

const table: readonly (readonly [says: string, other: DesiredUnit, here: CurrentUnit, expected: string])[] = [
  ['a unit waits until the one that has to go was told to stop', absent, running, 'stop logs'],
  ['and until it has stopped', absent, unit({ status: at('deactivating', 'stop'), started }), ''],
  [
    'and then starts in the pass that takes the other one’s file away',
    absent,
    unit({ started }),
    'unload logs, load web, start web',
  ],
  ['a failed unit is out of the way', absent, unit({ status: at('failed') }), 'unload logs, load web, start web'],
  ['so is one that is gone', absent, nowhere, 'load web, start web'],
  [
    'what runs under that name and is not ours is in nobody’s way',
    absent,
    { ...nowhere, status: at('active') },
    'load web, start web',
  ],
  ['a running unit of ours without a file is in the way', absent, { ...running, file: undefined }, 'stop logs'],
  ['a unit whose stop has failed a moment ago is in the way', absent, { ...running, isHeld: true }, ''],
  ['a running unit that the store has no order for is in the way', untouched, running, ''],
  [
    'a unit that is to be here as well is for the leader to take away',
    wish,
    unit({ status: at('active'), started: { uid: 5, order: 1 } }),
    'load web, start web',
  ],
];

for (const [says, other, here, expected] of table) test(says, () => assert.equal(tasks(other, here), expected));

test('a unit that runs is not touched for a unit that is on its way out, and restarted after that', () => {
  assert.equal(tasks(absent, running, unit({ status: at('active'), started: { uid: 5, order: 1 } })), 'stop logs');
  const outdated = unit({ status: at('active'), started: { uid: 5, order: 0 } });
  assert.equal(tasks(absent, running, outdated), 'stop logs');
  assert.equal(tasks(absent, nowhere, outdated), 'restart web');
});

test('changed content and its start stay together', () => {
  const other = hashUnitFile({ options: [{ section: 'Unit', name: 'Description', value: 'x' }] });
  const outdated = unit({ file: { hash: other, sha256: 'g' }, started: { uid: 5, order: 1 } });
  assert.equal(tasks(absent, running, outdated), 'stop logs');
  assert.equal(tasks(absent, nowhere, outdated), 'load web, start web');
});
