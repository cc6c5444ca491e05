import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExplanationEntity, MachineFitEntity } from '@flotilla/schema';
import { explanationHeadline, isWaiting } from './explanation-text.js';
import { formatFitTable } from './fit-table.js';
import type { Palette } from './terminal.js';

const palette: Palette = { good: (text) => text, bad: (text) => text, waiting: (text) => text };
const label = (id: string) => `m-${id}`;
const nowMs = Date.parse('2026-11-22T12:05:00Z');
const lacksDb = { key: 'missing-metadata:role=db', rule: 'MachineMetadata', text: 'lacks role=db' };
const lacksSsd = { key: 'missing-metadata:disk=ssd', rule: 'MachineMetadata', text: 'lacks disk=ssd' };
const conflict = { key: 'conflict:lb.service', rule: 'Conflicts', text: 'has lb.service, with which it conflicts' };

function explanation(given: Partial<ExplanationEntity>): ExplanationEntity {
  return { name: 'web.service', desiredState: 'launched', standing: 'waiting', strategy: 'spread', ...given };
}

function fits(id: string, given: Partial<MachineFitEntity> = {}): MachineFitEntity {
  return { id, load: 0, ...given };
}

const headlines: readonly (readonly [Partial<ExplanationEntity>, string])[] = [
  [
    { reason: '1 machine: 1 lacks role=db', waitingSince: Date.parse('2026-11-22T12:00:00Z') },
    'web.service waits since 2026-11-22 12:00:00 UTC (5 min): 1 machine: 1 lacks role=db',
  ],
  [{ machines: [fits('a', { rank: 1 })] }, 'web.service waits, and is about to be placed on m-a'],
  [{}, 'web.service waits'],
  [
    { standing: 'placed', machineID: 'a', machines: [fits('a', { here: true }), fits('b')] },
    'web.service is placed on m-a, and fits 1 other machine',
  ],
  [
    { standing: 'placed', machineID: 'a', machines: [fits('a', { here: true }), fits('b', { misfits: [lacksDb] })] },
    'web.service is placed on m-a, the only machine that it fits',
  ],
  [
    { standing: 'placed', machineID: 'a', machines: [fits('a', { here: true, misfits: [lacksDb, conflict] })] },
    'web.service is placed on m-a, but may not stay: that machine lacks role=db and has lb.service, with which it conflicts',
  ],
  [
    { standing: 'placed', machineID: 'c', heldBack: true, machines: [fits('a')] },
    'web.service is placed on m-c, which is gone; it waits until that one is back or lost, see fleetctl list-machines',
  ],
  [
    { standing: 'placed', machineID: 'c', heldBack: true, reason: 'machine c is gone', machines: [fits('a')] },
    'web.service is placed on m-c and waits: machine c is gone',
  ],
  [
    { standing: 'placed', machineID: 'c', machines: [fits('a')] },
    'web.service is placed on m-c, which has gone; it is about to be placed anew',
  ],
  [
    { standing: 'global', machines: [fits('a', { here: true }), fits('b', { misfits: [lacksDb] })] },
    'web.service is global: it runs on 1 of 2 machines',
  ],
  [
    { standing: 'global', machines: [fits('a', { misfits: [lacksDb] }), fits('b', { misfits: [lacksDb] })] },
    'web.service is global: it waits, as it fits none of 2 machines',
  ],
  [{ standing: 'global' }, 'web.service is global: it waits, as there is no machine'],
  [
    { standing: 'inactive', machines: [fits('a'), fits('b', { rank: 1 })] },
    'web.service is inactive: started, it would go to m-b',
  ],
  [
    { standing: 'inactive', machines: [fits('a', { misfits: [lacksDb] })] },
    'web.service is inactive: started, it would wait, as it fits no machine',
  ],
  [
    { standing: 'inactive', requirements: ['Global=true'], machines: [fits('a'), fits('b')] },
    'web.service is inactive: started, it would run on 2 of 2 machines',
  ],
  [
    { standing: 'inactive', leaving: ['a'], machines: [fits('b', { rank: 1 })] },
    'web.service is inactive: started, it would go to m-b; it is still being stopped on m-a',
  ],
  [
    { standing: 'template', machines: [fits('a'), fits('b', { misfits: [lacksDb] })] },
    'web.service is a template, which runs nowhere itself: an instance fits 1 of 2 machines',
  ],
  [{ standing: 'unreadable' }, "web.service can't be read, so nothing is decided about it; the leader's log says why"],
];

for (const [given, expected] of headlines)
  test(expected, () => assert.equal(explanationHeadline(explanation(given), { label, nowMs }), expected));

test('what waits for a machine is waiting, a global unit that fits none too', () => {
  assert.equal(isWaiting(explanation({})), true);
  assert.equal(isWaiting(explanation({ standing: 'placed' })), false);
  assert.equal(isWaiting(explanation({ standing: 'placed', heldBack: true })), true);
  assert.equal(isWaiting(explanation({ standing: 'inactive' })), false);
  assert.equal(isWaiting(explanation({ standing: 'global', machines: [fits('a', { misfits: [lacksDb] })] })), true);
  assert.equal(isWaiting(explanation({ standing: 'global', machines: [fits('a', { here: true })] })), false);
});

test('the table has the rules that the unit has, or that rule machines out, and the best machines first', () => {
  const text = formatFitTable(
    explanation({
      requirements: ['MachineMetadata=role=db', 'MachineMetadata=disk=ssd'],
      machines: [
        fits('a', { load: 3, misfits: [lacksDb, lacksSsd] }),
        fits('b', { load: 5, maxUnits: 9, rank: 2, preference: -4 }),
        fits('c', { load: 1, rank: 1, preference: 10 }),
        fits('d', { misfits: [conflict] }),
      ],
    }),
    { label, palette, isFull: false },
  );
  assert.equal(
    text,
    [
      'MACHINE  UNITS   PREFERENCE  FIT           MachineMetadata  Conflicts       OPEN  ROOM',
      'm-c      1       10          first choice  ok               ok              ok    ok',
      'm-b      5 of 9  -4          yes           ok               ok              ok    ok',
      'm-d      0       0           no            ok               has lb.service  ok    ok',
      'm-a      3       0           no            lacks role=db    ok              ok    ok',
      '                                           lacks disk=ssd',
      '',
    ].join('\n'),
  );
});

test('a global unit has no rules of open and room', () => {
  const text = formatFitTable(
    explanation({ standing: 'global', requirements: ['Global=true'], machines: [fits('a', { here: true, load: 1 })] }),
    { label, palette, isFull: false },
  );
  assert.equal(text, 'MACHINE  UNITS  FIT\nm-a      1      here\n');
});

test('machines that are alike are counted if there are many, unless each is asked for', () => {
  const alike = Array.from({ length: 200 }, (_, at) => fits(`x${at}`, { load: at, misfits: [lacksDb] }));
  const many = explanation({
    standing: 'placed',
    machineID: 'a',
    requirements: ['MachineMetadata=role=db'],
    machines: [fits('a', { here: true, load: 7 }), fits('b'), fits('c'), ...alike],
  });
  assert.equal(
    formatFitTable(many, { label, palette, isFull: false }),
    [
      'MACHINE       UNITS     FIT   MachineMetadata  OPEN  ROOM',
      'm-a           7         here  ok               ok    ok',
      '2 machines    0         yes   ok               ok    ok',
      '200 machines  0 to 199  no    lacks role=db    ok    ok',
      'Machines that are alike are counted; --full shows each.',
      '',
    ].join('\n'),
  );
  assert.equal(formatFitTable(many, { label, palette, isFull: true }).split('\n').length, 205);
});

test('of very many kinds the first are shown, and how many machines are left out', () => {
  const kinds = Array.from({ length: 100 }, (_, at) =>
    fits(`x${at}`, { misfits: [{ ...conflict, key: `conflict:${at}.service` }] }),
  );
  const text = formatFitTable(explanation({ machines: kinds }), { label, palette, isFull: false });
  assert.match(text, /^and 80 more machines; --full shows each$/m);
});

test('a long verdict goes on in the next line of its cell', () => {
  const full = { key: 'machine-full:20', rule: 'room', text: 'is full, with its limit at 20 units of any kind' };
  const text = formatFitTable(explanation({ machines: [fits('a', { misfits: [full] })] }), {
    label,
    palette,
    isFull: false,
  });
  assert.match(text, /^m-a {6}0 {6}no {3}ok {4}is full, with its limit at 20\n {27}units of any kind$/m);
});

test('verdicts are coloured, and stay aligned', () => {
  const painted: Palette = { ...palette, bad: (text) => `<${text}>` };
  const text = formatFitTable(
    explanation({ requirements: ['MachineMetadata=role=db'], machines: [fits('a', { misfits: [lacksDb] })] }),
    { label, palette: painted, isFull: false },
  );
  assert.match(text, /^m-a {6}0 {6}<no> {3}<lacks role=db> {4}ok {4}ok$/m);
});
