import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findUnitOfPath } from './unit-path.js';

for (const [label, name] of [
  ['a_2eservice', 'a.service'],
  ['_31a_2eservice', '1a.service'],
  ['t_40a_2db_5fc_3ad_2eservice', 't@a-b_c:d.service'],
  ['esc_5cx2daped_2eservice', 'esc\\x2daped.service'],
] as const)
  test(`the unit of ${label} is ${name}`, () => {
    assert.equal(findUnitOfPath(`/org/freedesktop/systemd1/unit/${label}`), name);
  });

test('other objects are not units', () => {
  assert.equal(findUnitOfPath('/org/freedesktop/systemd1/job/12'), undefined);
});
