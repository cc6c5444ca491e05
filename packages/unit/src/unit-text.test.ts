import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUnitText } from './unit-text.js';

test('a NUL byte in an option is refused with its line', () => {
  assert.throws(() => readUnitText('# \0\n[Service]\nType=simple\nExecStart=/bin/a\0b\n', 'web.service'), {
    code: 'invalid-unit-file',
    message: 'web.service:4: [Service] ExecStart= holds a NUL byte, at which systemd ends the line',
  });
});
