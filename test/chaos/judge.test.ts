import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostView } from './host-view.js';
import { judge, type Sight } from './judge.js';
import type { Registered } from './model.js';
import { movesOf } from './store-view.js';
import { sha256, unitText } from './units.js';

const note = '/note';
const machine = '01aa';
const other = '02bb';
const single = 'test-plain-1.service';
const everywhere = 'test-global-1.service';
const launched = { version: 0, state: 'launched' } as const;

interface Levers {
  readonly values?: Readonly<Record<string, string | undefined>>;
  readonly host?: Partial<HostView>;
  readonly possible?: Readonly<Record<string, Registered>>;
  readonly isKilled?: boolean;
}

/** A cluster of two in which all is well, but for what a test says. */
function sight({ values = {}, host = {}, possible = {}, isKilled = false }: Levers): Sight {
  const files = { [single]: sha256(unitText(single, 0, note)), [everywhere]: sha256(unitText(everywhere, 0, note)) };
  const record = (unit: keyof typeof files) => JSON.stringify({ file: files[unit], desiredState: 'launched' });
  const row = JSON.stringify({ active: 'active' });
  const store: Readonly<Record<string, string | undefined>> = {
    [`units/${single}`]: record(single),
    [`units/${everywhere}`]: record(everywhere),
    [`globals/${everywhere}`]: record(everywhere),
    [`unit-files/${files[single]}`]: 'text',
    [`unit-files/${files[everywhere]}`]: 'text',
    [`placements/${single}`]: JSON.stringify({ machine }),
    [`schedule/${machine}/${single}`]: JSON.stringify({
      file: files[single],
      desiredState: 'launched',
      isLeaving: false,
    }),
    [`states/${single}/${machine}`]: row,
    [`states/${everywhere}/${machine}`]: row,
    [`states/${everywhere}/${other}`]: row,
    [`machines/${machine}`]: '{}',
    [`machines/${other}`]: '{}',
    ...values,
  };
  const entries = Object.entries(store).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  const view = (name: string, id: string, units: readonly (keyof typeof files)[]): HostView => ({
    name,
    machine: id,
    units: new Map(units.map((unit) => [unit, { load: 'loaded', active: 'active', sub: 'running' }])),
    files: new Map(units.map((unit) => [unit, files[unit]])),
    links: units,
    started: units,
    fleetd: 'active',
    residentKiB: 1,
  });
  const hosts = [{ ...view('host-1', machine, [single, everywhere]), ...host }, view('host-2', other, [everywhere])];
  const known: Readonly<Record<string, Registered>> = { [single]: launched, [everywhere]: launched, ...possible };
  const isKilledThere = () => isKilled;
  return {
    store: { revision: 1, values: new Map(entries) },
    hosts,
    note,
    possible: (unit) => [known[unit]],
    isKilled: isKilledThere,
  };
}

const says = (levers: Levers) => judge(sight(levers)).map(({ unit, host, says: what }) => `${unit} ${host} ${what}`);

test('a cluster in which all is well has no problems', () => {
  assert.deepEqual(says({}), []);
});

const whole = sight({}).hosts[0];
assert.ok(whole !== undefined);
const active = { load: 'loaded', active: 'active', sub: 'running' };
const failed = { load: 'loaded', active: 'failed', sub: 'failed' };
const isFailed = { units: new Map([...whole.units, [single, failed]]) };
const failedRow = { [`states/${single}/${machine}`]: JSON.stringify({ active: 'failed' }) };
const stranger = 'test-plain-2.service';

const rows: Readonly<Record<string, readonly [Levers, RegExp]>> = {
  'a unit that is lost': [
    { possible: { [stranger]: launched } },
    /plain-2.* is unknown in the registry, not version 0, launched/,
  ],
  'a unit that came back': [
    { possible: { [single]: undefined } },
    /plain-1.* is version 0, launched in the registry, not unknown/,
  ],
  'a unit that is placed nowhere': [{ values: { [`placements/${single}`]: undefined } }, /is not placed/],
  'a unit that is placed elsewhere than it runs': [
    { values: { [`placements/${single}`]: JSON.stringify({ machine: other }) } },
    /host-1 its unit in systemd .* is left over/,
  ],
  'a state row without its unit': [
    { values: { [`states/${stranger}/${machine}`]: '{}' } },
    /states\/test-plain-2.* is left over/,
  ],
  'a state row that is missing': [
    { values: { [`states/${everywhere}/${other}`]: undefined } },
    /states\/test-global-1.* is missing/,
  ],
  'a state row that is wrong': [{ values: failedRow }, /is active by systemd, but failed in its row/],
  'a schedule key without its unit': [
    { values: { [`schedule/${other}/${single}`]: '{}' } },
    /schedule\/02bb.* is left over/,
  ],
  'a unit file without its unit': [{ values: { 'unit-files/ab': '' } }, /unit-files\/ab is left over/],
  'a machine that is frozen': [{ values: { [`machines/${other}`]: '{"frozen":"why"}' } }, /is frozen/],
  'a machine that is missing': [{ values: { [`machines/${other}`]: undefined } }, /machines\/02bb is missing/],
  'a turn that is not given back': [
    { values: { 'updates/test-inst@.service': '{}' } },
    /inst@.* updates\/test-inst@.service is left over/,
  ],
  'a loss that is not over': [{ values: { [`losses/${other}`]: '{}' } }, /losses\/02bb is left over/],
  'a unit that was started by hand, beside its copy': [
    { host: { units: new Map([...whole.units, ['test-inst@1.service', active]]) } },
    /inst@1.* host-1 its unit in systemd .* is left over/,
  ],
  'a unit that was stopped by hand': [{ host: { units: new Map() } }, /host-1 is launched, but inactive by systemd/],
  'a unit that failed': [{ host: isFailed, values: failedRow }, /is launched, but failed by systemd/],
  'a file that is left over': [
    { host: { files: new Map([...whole.files, [stranger, 'ab']]) } },
    /its file is left over/,
  ],
  'other bytes in a file': [
    { host: { files: new Map([...whole.files, [single, 'ab']]) } },
    /its file is not version 0/,
  ],
  'a link that is left over': [{ host: { links: [...whole.links, stranger] } }, /its link is left over/],
  'a note of a start that is left over': [
    { host: { started: [...whole.started, stranger] } },
    /the note .* is left over/,
  ],
  'a note of a start that is missing': [
    { host: { started: [everywhere] } },
    /is launched, which its note does not say/,
  ],
  'a daemon that is down': [{ host: { fleetd: 'failed' } }, /fleetd is failed/],
};
for (const [title, [levers, expected]] of Object.entries(rows))
  test(`it sees ${title}`, () => assert.match(says(levers).join('\n'), expected));

test('a unit whose main process was killed may be failed', () => {
  assert.deepEqual(says({ host: isFailed, values: failedRow, isKilled: true }), []);
});

const sidekick = 'test-side-2.service';
const sidekickFile = sha256(unitText(sidekick, 0, note));
const keeps: Levers = {
  possible: { [sidekick]: launched },
  values: {
    [`units/${sidekick}`]: JSON.stringify({ file: sidekickFile, desiredState: 'launched' }),
    [`unit-files/${sidekickFile}`]: 'text',
    [`reasons/${sidekick}`]: '{}',
    [`states/${sidekick}/${machine}`]: JSON.stringify({ active: 'active' }),
  },
  host: {
    units: new Map([...whole.units, [sidekick, active]]),
    files: new Map([...whole.files, [sidekick, sidekickFile]]),
    links: [...whole.links, sidekick],
    started: [...whole.started, sidekick],
  },
};

test('a unit that waits may go on where it was, on one machine', () => {
  assert.deepEqual(says(keeps), []);
  const values = { ...keeps.values, [`states/${sidekick}/${other}`]: '{}' };
  assert.match(says({ ...keeps, values }).join('\n'), /side-2.* waits, and more than one machine keeps it/);
});

test('moves are told by the changes of placements', () => {
  const at = (id: string) => JSON.stringify({ machine: id });
  const moves = movesOf(
    new Map([[single, machine]]),
    [
      { key: single, value: at(machine) },
      { key: single, value: at(other) },
      { key: single, value: undefined },
      { key: single, value: at(machine) },
    ],
    (id) => `host of ${id}`,
  );
  assert.deepEqual(moves, [
    { unit: single, from: 'host of 01aa', to: 'host of 02bb' },
    { unit: single, from: 'host of 02bb', to: undefined },
  ]);
});
