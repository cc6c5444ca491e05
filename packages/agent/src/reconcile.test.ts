import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnitFile, parseUnitName, type UnitName } from '@flotilla/unit';
import type { CurrentUnit } from './current.js';
import type { DesiredUnit } from './desired.js';
import { reconcile, tasksOfFirst } from './reconcile.js';

const hash = hashUnitFile({ options: [] });
const otherHash = hashUnitFile({ options: [{ section: 'Unit', name: 'Description', value: 'x' }] });
const web = parseUnitName('web.service');

const wish = { kind: 'present', isLaunched: true, hash, file: 'f', uid: 5, order: 1 } as const;
const loadedOnly = { ...wish, isLaunched: false };
const absent = { kind: 'absent', why: 'removed', hash, uid: 5 } as const;
const untouched = { kind: 'untouched', why: 'unconfirmed', hash, uid: 5 } as const;

const status = (active: string, job?: string) => ({ load: 'loaded', active, sub: '', job });
const unit = (change: Partial<CurrentUnit>): CurrentUnit => ({
  file: { hash, sha256: 'f' },
  status: status('inactive'),
  started: undefined,
  known: undefined,
  isHeld: false,
  isToldToStop: false,
  ...change,
});
const started = { uid: 5, order: 1 };
const knownAt = (order: number) => ({ hash, uid: 5, isLaunched: false, order });
const nowhere = unit({ file: undefined, status: { ...status('inactive'), load: 'not-found' } });
const running = unit({ status: status('active'), started });
const replaced = unit({ status: status('active'), started: { ...started, hash: otherHash } });
const other = { hash: otherHash, sha256: 'g' };

const table: readonly (readonly [says: string, wish: DesiredUnit, unit: CurrentUnit, tasks: string])[] = [
  ['a new unit is loaded and started', wish, nowhere, 'load start'],
  ['a new unit that is to be loaded is only loaded', loadedOnly, nowhere, 'load'],
  ['a unit that runs as it should is left alone', wish, running, ''],
  ['a unit that stopped by itself is left alone', wish, unit({ started }), ''],
  ['a unit that failed is left alone', wish, unit({ started, status: status('failed') }), ''],
  ['a newer order restarts a running unit', { ...wish, order: 2 }, running, 'restart'],
  ['a newer order starts a stopped unit', { ...wish, order: 2 }, unit({ started }), 'start'],
  ['a unit that was made anew under its name is restarted', { ...wish, uid: 6 }, running, 'restart'],
  ['an older order is not carried out again', { ...wish, order: 0 }, running, ''],
  ['a unit of an older making is not started', { ...wish, uid: 4, order: 9 }, running, ''],
  ['a running unit with the same content and no record is adopted', wish, unit({ status: status('active') }), 'adopt'],
  ['a unit on its way up is adopted too', wish, unit({ status: status('activating', 'start') }), 'adopt'],
  ['a queued start is not asked for twice', wish, unit({ started, status: status('inactive', 'start') }), ''],
  [
    'after a reboot the file is linked again and the unit started',
    wish,
    unit({ status: nowhere.status }),
    'load start',
  ],
  ['a lost file of a running unit comes back', wish, { ...running, file: undefined }, 'load'],
  [
    'what runs under the name without our file is replaced',
    wish,
    { ...unit({ status: status('active') }), file: undefined },
    'load restart',
  ],
  ['other content stops a running unit first', wish, { ...running, file: other }, 'stop'],
  [
    'other content waits for the end of a stop',
    wish,
    { ...running, file: other, status: status('deactivating', 'stop') },
    '',
  ],
  ['other content is replaced at rest, and started', wish, unit({ file: other, started }), 'load start'],
  ['other content that is to be loaded is replaced only', loadedOnly, unit({ file: other }), 'load'],
  [
    'a changed comment replaces the file and touches nothing',
    wish,
    { ...running, file: { hash, sha256: 'g' } },
    'load',
  ],
  [
    'a file that was edited here follows the submitted bytes, and the running unit is left alone',
    wish,
    { ...running, file: other, started: { ...started, hash } },
    'load',
  ],
  ['so does that of a unit that ended', wish, unit({ file: other, started: { ...started, hash } }), 'load'],
  ['what was started is replaced although its file is gone', wish, { ...replaced, file: undefined }, 'stop'],
  ['what was started is replaced although the file was edited to be the new one', wish, replaced, 'stop'],
  ['a replacement that was loaded is started', wish, { ...replaced, status: status('inactive') }, 'load start'],
  ['a replaced unit that is to be loaded only is stopped', loadedOnly, replaced, 'stop'],
  [
    'one that had ended is only loaded, and no longer counts as started',
    loadedOnly,
    { ...replaced, file: other, status: status('inactive') },
    'stop load',
  ],
  ['a file that does not parse is replaced', wish, unit({ file: { hash: undefined, sha256: 'g' } }), 'load start'],
  ['a launched unit that is to be loaded is stopped', loadedOnly, running, 'stop'],
  ['one that ended by itself is told to be stopped', loadedOnly, unit({ started }), 'stop'],
  ['what systemd started by itself is not stopped', loadedOnly, unit({ status: status('active') }), ''],
  ['but it is when that was ordered since', loadedOnly, unit({ status: status('active'), known: knownAt(0) }), 'stop'],
  ['not for an order that was carried out', loadedOnly, unit({ status: status('active'), known: knownAt(1) }), ''],
  [
    'nor for one of an earlier unit of its name',
    loadedOnly,
    unit({ status: status('active'), known: { ...knownAt(0), uid: 4 } }),
    '',
  ],
  ['nor once more while it stops', loadedOnly, unit({ status: status('deactivating', 'stop'), known: knownAt(0) }), ''],
  ['a unit that is not wanted is stopped', absent, running, 'stop'],
  ['a stop under way is waited for', absent, { ...running, status: status('deactivating', 'stop') }, ''],
  ['so is the end of a systemctl clean', absent, unit({ status: status('maintenance') }), ''],
  ['a unit at rest is unloaded', absent, unit({ started }), 'unload'],
  ['a failed unit is unloaded', absent, unit({ status: status('failed') }), 'unload'],
  [
    'a failed unit without a file, left by an unload that was cut short, is unloaded',
    absent,
    { ...nowhere, status: { ...status('failed'), load: 'not-found' } },
    'unload',
  ],
  ['a queued start is cancelled', absent, unit({ status: status('inactive', 'start') }), 'stop'],
  ['a unit without our file was never ours to stop', absent, { ...nowhere, status: status('active') }, ''],
  ['a running unit whose file was lost is stopped', absent, { ...running, file: undefined }, 'stop'],
  ['a unit without an order stays as it is', untouched, running, ''],
  ['a held unit is not touched', wish, { ...nowhere, isHeld: true }, ''],
];

for (const [says, desired, current, tasks] of table)
  test(says, () => {
    const found = reconcile(new Map([[web, desired]]), new Map([[web, current]]));
    assert.equal(found.map((task) => task.kind).join(' '), tasks);
  });

test('tasks come by kind and then by name, whatever the order of the maps', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => parseUnitName(`${name}.service`)) as [UnitName, UnitName, UnitName];
  const desired = new Map<UnitName, DesiredUnit>([
    [c, wish],
    [b, absent],
    [a, wish],
  ]);
  const current = new Map([
    [b, running],
    [a, nowhere],
    [c, nowhere],
  ]);
  const found = reconcile(desired, current).map((task) => `${task.kind} ${task.unit}`);
  assert.deepEqual(found, ['stop b.service', 'load a.service', 'load c.service', 'start a.service', 'start c.service']);
});

test('a pass takes on all tasks of the first units, and none of the others', () => {
  const names = ['a', 'b', 'c'].map((name) => parseUnitName(`${name}.service`));
  const all = reconcile(new Map(names.map((name) => [name, wish])), new Map(names.map((name) => [name, nowhere])));
  const kindsAndUnits = tasksOfFirst(2, all).map((task) => `${task.kind} ${task.unit}`);
  assert.deepEqual(kindsAndUnits, ['load a.service', 'load b.service', 'start a.service', 'start b.service']);
});
