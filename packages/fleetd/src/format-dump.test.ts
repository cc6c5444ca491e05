import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitRow } from '@flotilla/registry';
import { parseOwnerName, parseUnitName, type UnitHash } from '@flotilla/unit';
import { formatDump } from './format-dump.js';

const [a, b] = [parseUnitName('a.service'), parseUnitName('b.service')];

const row: UnitRow = {
  load: 'loaded',
  active: 'active',
  sub: 'running',
  hash: 'f'.repeat(40) as UnitHash,
  uid: 1,
  order: 1,
  isLaunched: true,
};

const directory = {
  name: parseOwnerName('local'),
  path: '/etc/fleet/units',
  isThere: true,
  units: 2,
  problemCount: 0,
  conflictCount: 0,
};

test('a dump is one line in fleet’s shape, units by name', () => {
  const targets = new Map([
    [b, 'launched'],
    [a, 'loaded'],
  ] as const);
  const text = formatDump({
    machine: 'ab12',
    agent: { targets, rows: new Map([[b, row]]), unwritten: new Map() },
    directories: [directory],
  });
  assert.doesNotMatch(text, /\n/);
  const state = {
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    MachineID: 'ab12',
    UnitHash: row.hash,
    UnitName: b,
  };
  assert.deepEqual(JSON.parse(text), {
    Agent: { Cache: { TargetStates: { [a]: 'loaded', [b]: 'launched' } } },
    UnitStatePublisher: { Cache: { [b]: state }, ToPublish: {} },
    UnitStateGenerator: { Subscribed: [a, b] },
    Directories: [directory],
  });
});
