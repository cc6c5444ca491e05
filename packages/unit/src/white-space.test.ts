import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trim, trimStart } from './white-space.js';

test("what is trimmed is Unicode's White_Space, letter by letter", () => {
  const whiteSpace = /^\p{White_Space}$/u;
  for (let code = 0; code <= 0xffff; code++) {
    const letter = String.fromCharCode(code);
    const rest = whiteSpace.test(letter) ? '' : letter;
    assert.equal(trim(` ${letter}\t`), rest, code.toString(16));
    assert.equal(trimStart(letter), rest, code.toString(16));
  }
});
