import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMachineId, shortMachineId } from './machine-id.js';

test('the ID is taken as /etc/machine-id has it, and cut to 8 characters for people', () => {
  const id = parseMachineId('0123456789abcdef0123456789abcdef\n');
  assert.equal(id, '0123456789abcdef0123456789abcdef');
  assert.equal(shortMachineId(id), '01234567');
});

for (const text of ['', '\n', 'a/b', '..', '-a', 'a b', 'x'.repeat(129)]) {
  test(`no machine ID: ${JSON.stringify(text.slice(0, 9))}`, () => {
    assert.throws(() => parseMachineId(text), { code: 'bad-machine-id' });
  });
}
