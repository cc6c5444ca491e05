import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScheduleRecord, UnitRecord } from '@flotilla/registry';
import {
  hashUnitFile,
  noRequirements,
  parseRequirements,
  parseUnitFile,
  parseUnitName,
  type UnitName,
} from '@flotilla/unit';
import { type DesiredSources, desiredUnits } from './desired.js';
import { machine } from './memory-host.js';

const web = parseUnitName('web.service');
const template = parseUnitName('web@.service');
const hash = hashUnitFile({ options: [] });
const record: ScheduleRecord = { hash, file: 'f', desiredState: 'launched', order: 2, uid: 5, isLeaving: false };
const global: UnitRecord = { hash, file: 'f', desiredState: 'launched', order: 2, isGlobal: true };
const requirements = (name: UnitName, role: string) =>
  parseRequirements({ name, file: parseUnitFile(`[X-Fleet]\nGlobal=true\nMachineMetadata=role=${role}\n`) });

const nothing: DesiredSources = {
  machine,
  schedule: new Map(),
  globals: new Map(),
  requirements: new Map(),
  known: new Map(),
  restarts: new Map(),
  removed: new Set(),
  verdicts: new Map(),
};
const known = new Map([[web, { hash, uid: 5, isLaunched: true, order: 1 }]]);
const scheduled = (change: Partial<ScheduleRecord> = {}) => ({
  schedule: new Map([[web, { record: { ...record, ...change }, modRevision: 9 }]]),
});
const globally = (role: string, change: Partial<UnitRecord> = {}) => ({
  globals: new Map([[web, { record: { ...global, ...change }, uid: 7, modRevision: 9 }]]),
  requirements: new Map([[web, requirements(web, role)]]),
});

const table: readonly (readonly [says: string, sources: Partial<DesiredSources>, expected: string | undefined])[] = [
  ['a scheduled unit is present, launched', scheduled(), 'present launched'],
  ['a scheduled unit may be wanted loaded only', scheduled({ desiredState: 'loaded' }), 'present loaded'],
  ['a unit that is told to leave is absent', scheduled({ isLeaving: true }), 'absent leaving'],
  ['a scheduled unit that is not wanted is absent', scheduled({ desiredState: 'inactive' }), 'absent not-wanted'],
  ['a global unit that fits is present', globally('web'), 'present launched'],
  ['a global unit that does not fit is nothing to a machine that never had it', globally('db'), undefined],
  [
    'whether a unit is global its record says, whatever its file says',
    { ...globally('web'), requirements: new Map([[web, noRequirements]]) },
    'present launched',
  ],
  ['a global unit that fits no longer is absent', { ...globally('db'), known }, 'absent does-not-fit'],
  [
    'a global unit that is not wanted is absent',
    { ...globally('web', { desiredState: 'inactive' }), known },
    'absent not-wanted',
  ],
  [
    'a global unit whose file can not be read stays as it is',
    { ...globally('web'), requirements: new Map(), known },
    'untouched unreadable',
  ],
  [
    'an order to leave goes before the same unit as a global one',
    { ...globally('web'), ...scheduled({ isLeaving: true }) },
    'absent leaving',
  ],
  ['a unit whose order was seen deleted is absent', { known, removed: new Set([web]) }, 'absent removed'],
  ['a missing unit stays as it is until the store was asked', { known }, 'untouched unconfirmed'],
  [
    'a missing unit that the store says is gone is absent',
    { known, verdicts: new Map([[web, 'gone']]) },
    'absent gone-elsewhere',
  ],
  [
    'a missing unit that the store still places here stays',
    { known, verdicts: new Map([[web, 'placed-here']]) },
    'untouched placed-here',
  ],
  [
    'a missing unit that waits for a machine stays',
    { known, verdicts: new Map([[web, 'waiting']]) },
    'untouched waiting',
  ],
  ['a deleted order for a unit that was never here is nothing', { removed: new Set([web]) }, undefined],
];

for (const [says, sources, expected] of table)
  test(says, () => {
    const wish = desiredUnits({ ...nothing, ...sources }).get(web);
    const detail = wish?.kind === 'present' ? (wish.isLaunched ? 'launched' : 'loaded') : wish?.why;
    assert.equal(wish && `${wish.kind} ${detail}`, expected);
  });

/** A global unit, and what it asks. */
function globalOf(name: string, { uid, asks = '', state = 'launched' }: GlobalFacts) {
  const unit = parseUnitName(name);
  const file = parseUnitFile(`[X-Fleet]\nGlobal=true\n${asks}\n`);
  const required = parseRequirements({ name: unit, file });
  return { name: unit, entry: { record: { ...global, desiredState: state }, uid, modRevision: 9 }, required };
}

interface GlobalFacts {
  readonly uid: number;
  readonly asks?: string;
  readonly state?: UnitRecord['desiredState'];
}

function presentNames(globals: readonly ReturnType<typeof globalOf>[], change: Partial<DesiredSources> = {}): string[] {
  const wishes = desiredUnits({
    ...nothing,
    globals: new Map(globals.map(({ name, entry }) => [name, entry])),
    ...change,
    requirements: new Map([
      ...globals.map(({ name, required }) => [name, required] as const),
      ...(change.requirements ?? new Map()),
    ]),
  });
  return [...wishes].filter(([, wish]) => wish.kind === 'present').map(([name]) => name);
}

const logs = globalOf('logs.service', { uid: 7, asks: 'Conflicts=web.service' });

test('a unit that was made earlier keeps a global one off, and one that was made later does not', () => {
  assert.deepEqual(presentNames([logs], scheduled({ uid: 6 })), [web]);
  assert.deepEqual(presentNames([logs], scheduled({ uid: 8 })), [logs.name, web]);
});

test('a unit that names the global one keeps it off, too', () => {
  const quiet = globalOf('logs.service', { uid: 7 });
  const asks = parseRequirements({ name: web, file: parseUnitFile('[X-Fleet]\nConflicts=logs.*\n') });
  assert.deepEqual(presentNames([quiet], { ...scheduled({ uid: 6 }), requirements: new Map([[web, asks]]) }), [web]);
});

test('a unit that leaves, or is not wanted, keeps no global one off', () => {
  assert.deepEqual(presentNames([logs], scheduled({ uid: 6, isLeaving: true })), [logs.name]);
  assert.deepEqual(presentNames([logs], scheduled({ uid: 6, desiredState: 'inactive' })), [logs.name]);
});

test('a global unit that has to give way is absent where it was, and nothing where it never was', () => {
  const sources = { ...nothing, ...scheduled({ uid: 6 }), globals: new Map([[logs.name, logs.entry]]) };
  const requirements = new Map([[logs.name, logs.required]]);
  assert.equal(desiredUnits({ ...sources, requirements }).has(logs.name), false);
  const here = new Map([[logs.name, { hash, uid: 7, isLaunched: true, order: 1 }]]);
  const wish = desiredUnits({ ...sources, requirements, known: here }).get(logs.name);
  assert.deepEqual(wish, { kind: 'absent', why: 'conflict', hash, uid: 7 });
});

test('inactive global units and global templates keep nobody off', () => {
  for (const [name, state] of [
    ['all.service', 'inactive'],
    ['all@.service', 'launched'],
  ] as const) {
    const all = globalOf(name, { uid: 1, asks: 'Conflicts=*', state });
    assert.deepEqual(presentNames([all, logs]), [logs.name]);
  }
});

test('a global unit whose file can not be read keeps nobody off', () => {
  const all = { ...globalOf('all.service', { uid: 1 }).entry };
  const globals = new Map([
    [parseUnitName('all.service'), all],
    [logs.name, logs.entry],
  ]);
  assert.deepEqual(presentNames([logs], { globals }), [logs.name]);
});

test('a unit that has just become global is still what its order here says', () => {
  const asWeb = globalOf('web.service', { uid: 5, asks: 'MachineMetadata=role=db' });
  assert.deepEqual(presentNames([asWeb], scheduled({ uid: 5 })), [web]);
});

test('a global template runs nowhere', () => {
  const globals = new Map([[template, { record: global, uid: 7, modRevision: 9 }]]);
  const wishes = desiredUnits({
    ...nothing,
    globals,
    requirements: new Map([[template, requirements(template, 'web')]]),
  });
  assert.equal(wishes.size, 0);
});

test('a global unit is known by the revision that it was made at', () => {
  const wish = desiredUnits({ ...nothing, ...globally('web') }).get(web);
  assert.equal(wish?.uid, 7);
});
