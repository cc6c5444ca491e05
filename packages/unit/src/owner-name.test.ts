import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnerName, parseOwnerName } from './owner-name.js';

test('names that are safe as a path, a key and a URL are owners', () => {
  for (const name of ['local', 'a', '9', 'web.team_1-x', 'A'.repeat(63)]) assert.equal(parseOwnerName(name), name);
});

test('all else is refused, with what a name looks like', () => {
  for (const name of ['', '.', '..', '.a', '-a', '_a', 'a/b', 'a b', 'ä', 'a\n', 'A'.repeat(64)]) {
    assert.equal(isOwnerName(name), false, name);
    assert.throws(() => parseOwnerName(name), { code: 'bad-owner-name', hint: /^Up to 63 of/ });
  }
});
