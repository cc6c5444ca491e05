import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseListUnits } from './parse-list-units.js';

const row = (id: string, job: string) => [
  id,
  '',
  'loaded',
  'active',
  'running',
  '',
  '/p',
  job === '' ? 0 : 17,
  job,
  '/',
];

test('a listing gives load, active, sub and job, under the names that were asked for', () => {
  const { statuses, aliases } = parseListUnits(
    [row('real.service', ''), row('b.service', 'stop')],
    ['alias.service', 'b.service'],
  );
  assert.deepEqual(statuses.get('alias.service'), { load: 'loaded', active: 'active', sub: 'running', job: undefined });
  assert.equal(statuses.get('b.service')?.job, 'stop');
  assert.deepEqual([...aliases], [['alias.service', 'real.service']]);
});

test('a listing that leaves units out goes by their own names', () => {
  const { statuses } = parseListUnits([row('b.service', '')], ['a.service', 'b.service']);
  assert.deepEqual([...statuses.keys()], ['b.service']);
});
