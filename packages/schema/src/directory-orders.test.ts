import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { directoryDetailSchema, type ParsedBody, parseAdoptUnit, parseForgetDirectories } from './index.js';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('the body of an order about directories', () => {
  const rows: readonly {
    says: string;
    read: (body: Uint8Array) => ParsedBody<unknown>;
    known: object;
    bad: object[];
  }[] = [
    {
      says: 'to adopt a unit',
      read: parseAdoptUnit,
      known: { owner: 'local' },
      bad: [{ owner: 1 }, { owner: null }, { name: 'local' }, [], { Owner: 'local' }],
    },
    {
      says: 'to forget a machine',
      read: parseForgetDirectories,
      known: { dryRun: true },
      bad: [{ dryRun: 'true' }, { dryRun: 0 }, { dryrun: true }, [], { dryRun: null }],
    },
  ];
  for (const { says, read, known, bad } of rows) {
    test(`${says} is what is said there, and nothing if it is empty`, () => {
      assert.deepEqual(read(bytes(JSON.stringify(known))), { kind: 'parsed', request: known });
      assert.deepEqual(read(bytes('')), { kind: 'parsed', request: {} });
      assert.deepEqual(read(bytes('{}')), { kind: 'parsed', request: {} });
    });

    test(`${says} is refused if anything in it would not be heeded`, () => {
      for (const body of bad) assert.equal(read(bytes(JSON.stringify(body))).kind, 'refused', JSON.stringify(body));
    });

    test(`${says} is taken or refused, whatever the bytes`, () => {
      fc.assert(
        fc.property(fc.oneof(fc.uint8Array(), fc.json().map(bytes)), (body) => {
          read(body);
        }),
      );
    });
  }
});

test('a directory with everything that there may be to tell survives its schema', () => {
  const host = {
    address: '10.0.0.1',
    claimant: 'c0ffee',
    conflictCount: 1,
    conflicts: [{ unit: 'a.service' }, { owner: 'other', unit: 'b.service' }],
    held: { count: 1, digest: '0123456789abcdef', since: 1, units: ['c.service'], why: 'most-gone' },
    isLost: true,
    isThere: true,
    lastChange: { at: 1, changed: 0, created: 2, removed: 0, units: ['d.service'] },
    path: '/etc/fleet/units',
    problemCount: 1,
    problems: [{ line: 3, message: 'no such option', source: 'e.service' }],
    units: 4,
  };
  const claimants = [{ claimant: 'c0ffee', isBehind: true, source: 'd.service' }];
  const directory = { hosts: [host], name: 'local', unitList: [{ claimants, name: 'd.service' }] };
  assert.deepEqual(directoryDetailSchema.parse(JSON.parse(JSON.stringify(directory))), directory);
});
