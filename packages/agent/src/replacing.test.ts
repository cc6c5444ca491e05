import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashUnitFile, parseUnitFile } from '@flotilla/unit';
import type { CurrentUnit } from './current.js';
import type { DesiredUnit } from './desired.js';
import { isReplaced, progressOf } from './replacing.js';

const [old, fresh] = [hashUnitFile(parseUnitFile('[A]\nB=1')), hashUnitFile(parseUnitFile('[A]\nB=2'))];
const wish = (order: number, hash = fresh, uid = 1): DesiredUnit => ({
  ...{ kind: 'present', isLaunched: true, file: 'f' },
  ...{ hash, uid, order },
});
const untouched = (why: 'unconfirmed' | 'waiting'): DesiredUnit => ({ kind: 'untouched', why, hash: fresh, uid: 1 });
const unit = (active: string, started?: CurrentUnit['started']): CurrentUnit => ({
  ...{ file: undefined, known: undefined, isHeld: false, isToldToStop: false },
  ...{ status: { load: 'loaded', active, sub: active, job: undefined }, started },
});

const progresses: readonly (readonly [
  says: string,
  DesiredUnit | undefined,
  CurrentUnit,
  ReturnType<typeof progressOf>,
])[] = [
  [
    'a copy of the wanted content that is active',
    wish(2),
    unit('active', { uid: 1, order: 2, hash: fresh }),
    'settling',
  ],
  ['one that has ended well', wish(2), unit('inactive', { uid: 1, order: 2, hash: fresh }), 'settling'],
  ['one that has failed', wish(2), unit('failed', { uid: 1, order: 2, hash: fresh }), 'replacing'],
  ['one that was stopped and is yet to be started', wish(2), unit('inactive'), 'replacing'],
  ['one that is owed another start may settle', wish(3), unit('active', { uid: 1, order: 2, hash: fresh }), 'settling'],
  ['one that has missed orders', wish(4), unit('active', { uid: 1, order: 2, hash: fresh }), 'replacing'],
  [
    'a stopped one of which nobody knows yet whether it is wanted',
    untouched('unconfirmed'),
    unit('inactive'),
    'replacing',
  ],
  ['a stopped one that is to run on another machine, or none', untouched('waiting'), unit('failed'), 'over'],
  ['one that runs without an order', untouched('unconfirmed'), unit('active'), 'over'],
  ['one of a unit that is gone', undefined, unit('active'), 'over'],
];
for (const [says, desired, current, expected] of progresses)
  test(`${says}: ${expected}`, () => assert.equal(progressOf(desired, current), expected));

const replacements: readonly (readonly [says: string, DesiredUnit, CurrentUnit, boolean])[] = [
  ['other content', wish(2), unit('active', { uid: 1, order: 1, hash: old }), true],
  ['other content where a copy has ended', wish(2), unit('inactive', { uid: 1, order: 1, hash: old }), true],
  ['a first start', wish(2), unit('inactive'), false],
  ['the same order', wish(2), unit('active', { uid: 1, order: 2, hash: fresh }), false],
  ['an order to restart', wish(3), unit('active', { uid: 1, order: 2, hash: fresh }), false],
  ['two orders', wish(4), unit('active', { uid: 1, order: 2, hash: fresh }), true],
  ['two orders to what does not run', wish(4), unit('failed', { uid: 1, order: 2, hash: fresh }), false],
  [
    'content that was taken back before its turn',
    wish(4),
    unit('active', { uid: 1, order: 2, hash: fresh, isOutdated: true }),
    false,
  ],
  [
    'a unit that was destroyed and made again',
    wish(1, fresh, 9),
    unit('active', { uid: 1, order: 5, hash: fresh }),
    true,
  ],
  ['an older unit than was started', wish(9, fresh, 1), unit('active', { uid: 9, order: 1, hash: fresh }), false],
];
for (const [says, desired, current, expected] of replacements)
  test(`${says} ${expected ? 'needs' : 'needs no'} turn`, () => assert.equal(isReplaced(desired, current), expected));
