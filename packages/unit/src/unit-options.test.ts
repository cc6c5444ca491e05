import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatUnitFile } from './canonical.js';
import { unitFileFromOptions } from './unit-options.js';

const option = (value: string, name = 'ExecStart', section = 'Service') => ({ section, name, value });
const textOf = (...list: unknown[]) => formatUnitFile(unitFileFromOptions(list, 'x.service'));

test('blanks, CRLF and order of sections become canonical', () => {
  assert.equal(textOf(option('  a b \n', ' Exec ')), '[Service]\nExec=a b\n');
  assert.equal(textOf(option('a \\\r\n b')), '[Service]\nExecStart=a \\\n b\n');
  assert.equal(textOf(option('a\\'), option('b')), '[Service]\nExecStart=a\\ \nExecStart=b\n');
  assert.equal(textOf(option('a\\\n'), option('b')), '[Service]\nExecStart=a\\\n\nExecStart=b\n');
  assert.equal(
    textOf(option('1'), option('2', 'After', 'Unit'), option('3')),
    '[Service]\nExecStart=1\nExecStart=3\n\n[Unit]\nAfter=2\n',
  );
  assert.equal(textOf({ section: 'Service', name: 'ExecStart' }), '[Service]\nExecStart=\n');
});

const refused: readonly (readonly [unknown, RegExp])[] = [
  [null, /^x\.service: option 2 is not an object$/],
  ['ExecStart=a', /option 2 is not an object/],
  [{ section: 'Service', value: 'a' }, /option 2 needs a section, a name and a value as text/],
  [{ section: 'Service', name: 'ExecStart', value: null }, /option 2 needs/],
  [option('a\nUser=root'), /^x\.service: \[Service\] ExecStart= has a newline in its value that is not a continuation/],
  [option('a\n[X-Fleet]\nGlobal=true'), /has a newline in its value/],
  [option('a\n\n# lost'), /has a newline in its value/],
  [option('a\\\n\nb=c'), /has a newline in its value/],
  [option('a', 'b=c'), /\[Service\] b=c= is not an option name/],
  [option('a', '#b'), /is not an option name/],
  [option('a', ' [b]'), /is not an option name/],
  [option('a', 'b\nc'), /is not an option name/],
  [option('a', 'b', 'A]\n[B'), /has a section name with a bracket or a newline in it/],
  [option('a', 'b', 'A]'), /has a section name with a bracket or a newline in it/],
  [option('x'.repeat(2038)), /\[Service\] ExecStart= line too long \(max 2048 bytes\)/],
  [option('\ud800'), /is not valid UTF-8/],
];
for (const [bad, message] of refused) {
  test(`refused: ${JSON.stringify(bad).slice(0, 60)}`, () => {
    assert.throws(() => textOf(option('ok'), bad), { code: 'invalid-unit-file', message });
  });
}
