import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UnitError } from './errors.js';
import { isUnitName, parseUnitName, unitNameFromArgument, unitNameParts, unitTypes } from './unit-name.js';

const refused: readonly (readonly [string, string])[] = [
  ['', 'unit name cannot be empty'],
  [`${'a'.repeat(249)}.service`, 'unit name exceeds maximum length (256)'],
  [`${'é'.repeat(125)}.service`, 'unit name exceeds maximum length (256)'],
  ['foo', 'unit name must contain "."'],
  ['foo.', 'unit name cannot end in "."'],
  ['foo.servicee', 'invalid unit type: "servicee"'],
  ['foo.Service', 'invalid unit type: "Service"'],
  ['foo.service ', 'invalid unit type: "service "'],
  ['foo.toString', 'invalid unit type: "toString"'],
  ['a@b.mount', 'invalid unit type for template: "mount"'],
  ['foo bar.service', "invalid character ' ' in unit name"],
  ['foo/bar.service', "invalid character '/' in unit name"],
  ['../foo.service', "invalid character '/' in unit name"],
  ['foo%i.service', "invalid character '%' in unit name"],
  ["foo'.service", "invalid character '\\'' in unit name"],
  ['foo\n.service', "invalid character '\\n' in unit name"],
  ['foo\x00.service', "invalid character '\\x00' in unit name"],
  ['foo\u200b.service', "invalid character '\\u200b' in unit name"],
  ['föö.service', "invalid character 'ö' in unit name"],
  ['🚢.service', "invalid character '🚢' in unit name"],
  ['@foo.service', 'unit name cannot start in "@"'],
  ['@.service', 'unit name cannot start in "@"'],
  ['.service', 'unit name cannot be only a type: ".service"'],
];

for (const [name, problem] of refused) {
  test(`${JSON.stringify(name.slice(0, 20))} is refused: ${problem}`, () => {
    assert.throws(
      () => parseUnitName(name),
      (error) => {
        assert.ok(error instanceof UnitError);
        assert.equal(error.code, 'invalid-unit-name');
        assert.equal(error.message, problem);
        return true;
      },
    );
    assert.equal(isUnitName(name), false);
  });
}

test('a name of 256 bytes, odd characters and every type are accepted', () => {
  const names = [`${'a'.repeat(248)}.service`, '-.mount', 'a:b_c\\x2d-1.2@x@y.service', '..service', 'foo@.timer'];
  for (const name of [...names, ...unitTypes.map((type) => `foo.${type}`)]) {
    assert.equal(parseUnitName(name), name);
    assert.equal(isUnitName(name), true);
  }
});

test('a name splits at its last dot and its first @', () => {
  const parts = (name: string) => unitNameParts(parseUnitName(name));
  assert.deepEqual(parts('foo.1.service'), {
    prefix: 'foo.1',
    instance: undefined,
    type: 'service',
    template: undefined,
    isTemplate: false,
    isInstance: false,
  });
  assert.deepEqual(parts('foo.1@2.service'), {
    prefix: 'foo.1',
    instance: '2',
    type: 'service',
    template: 'foo.1@.service',
    isTemplate: false,
    isInstance: true,
  });
  assert.equal(parts('foo@bar@baz.timer').instance, 'bar@baz');
  assert.equal(parts('foo@bar@baz.timer').template, 'foo@.timer');
  assert.equal(parts('foo@a.b.service').instance, 'a.b');
  const template = parts('foo@.service');
  assert.deepEqual([template.isTemplate, template.isInstance, template.prefix], [true, false, 'foo']);
});

test('a command line argument means the unit named by its last part', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['foo', 'foo.service'],
    ['foo.1', 'foo.1.service'],
    ['foo@1', 'foo@1.service'],
    ['dir/bar.socket', 'bar.socket'],
    ['/etc/systemd/system/bar.timer', 'bar.timer'],
    ['dir/bar/', 'bar.service'],
    ['foo.target', 'foo.target'],
    ['foo.slice', 'foo.slice'],
    ['foo.servicee', 'foo.servicee.service'],
    ['./foo.service', 'foo.service'],
  ];
  for (const [argument, name] of rows) assert.equal(unitNameFromArgument(argument), name, argument);
  for (const argument of ['', '/', '//', 'a b', '.service', '@', 'dir/*'])
    assert.throws(() => unitNameFromArgument(argument), UnitError, argument);
});

test('parts put a valid name together again, and nothing but a UnitError is thrown', () => {
  const char = fc.constantFrom('a', 'Z', '0', '.', '@', '-', '_', '\\', ':', '/', ' ', 'é', '\n');
  const stem = fc.string({ unit: char, maxLength: 12 });
  const name = fc
    .tuple(stem, fc.constantFrom('', '.', ...unitTypes.map((type) => `.${type}`)))
    .map((all) => all.join(''));
  fc.assert(
    fc.property(fc.oneof(name, fc.string({ unit: 'binary' })), (text) => {
      if (!isUnitName(text)) {
        assert.throws(() => parseUnitName(text), UnitError);
        return;
      }
      const { prefix, instance, type, template, isTemplate, isInstance } = unitNameParts(text);
      assert.equal(text, `${prefix}${isTemplate || isInstance ? '@' : ''}${instance ?? ''}.${type}`);
      assert.equal(template !== undefined, isInstance);
      assert.equal(unitNameFromArgument(`./some/${text}`), text);
    }),
  );
});
