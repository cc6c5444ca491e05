import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatUnitFile, hashUnitFile, shortHash } from './canonical.js';
import { UnitError } from './errors.js';
import { parseUnitFile, parseUnitFileWithLines } from './unit-file.js';
import { describeUnit, hasInstallSection } from './unit-file-facts.js';

/** Options as `section|name|value`. */
function options(text: string | Uint8Array): string[] {
  return parseUnitFile(text).options.map(({ section, name, value }) => `${section}|${name}|${value}`);
}

const read: readonly (readonly [string, string, readonly string[]])[] = [
  ['nothing', '', []],
  ['a section without options', '[A]\n\n', []],
  ['blanks around names and values', ' [A]\n\t b c =  d e \t\n', ['A|b c|d e']],
  ['repeats and resets', '[A]\nb=1\nb=\nb=2\n', ['A|b|1', 'A|b|', 'A|b|2']],
  ['an empty name', '[A]\n=b\n', ['A||b']],
  ['a section name verbatim', '[ A ]\nb=c\n[]\nd=e\n', [' A |b|c', '|d|e']],
  ['no inline comments and no quotes', '[A]\nb="c" # d ; e\n', ['A|b|"c" # d ; e']],
  ['a value with =', '[A]\nb=c=d\n', ['A|b|c=d']],
  ['no newline at the end', '[A]\nb=c', ['A|b|c']],
  ['indented comments', '[A]\n  # x=1\n\t; y=2\nb=c\n', ['A|b|c']],
  ['a continued comment, with and without a blank', '[A]\n# x \\\ny=1\n; z\\ \nw=2\nb=c\n', ['A|b|c']],
  ['a continued value as it stands', '[A]\nb=c \\\n  d\\\n# e\nf=g\n', ['A|b|c \\\n  d\\\n# e', 'A|f|g']],
  ['a continued value ended by a blank line', '[A]\nb=c\\\n  \nd=e\n', ['A|b|c\\\n', 'A|d|e']],
  ['a continued value ended by the file', '[A]\nb=c\\', ['A|b|c\\\n']],
  ['a backslash before blanks', '[A]\nb=c\\ \nd=e\n', ['A|b|c\\', 'A|d|e']],
  ['CRLF, continuations included', '[A]\r\nb=c \\\r\n d\r\n\r\ne=f\r\n', ['A|b|c \\\n d', 'A|e|f']],
  ['nothing of junk before the first section', '\ufeffx=1\n y [B]\nb=c\n', ['B|b|c']],
  ['a comment within junk', 'junk # [A]\nb=c\n; [B]\n[C]\nd=e\n', ['C|d|e']],
  ['a section opened twice', '[B]\nx=1\n[A]\ny=2\n[B]\nz=3\n', ['B|x|1', 'B|z|3', 'A|y|2']],
  ['a section name of dots', '[A.b.c]\nd.e=f\n', ['A.b.c|d.e|f']],
  ['every kind of white space', '[A]\n\u3000b\u00a0=\u0085c\u2028\n', ['A|b|c']],
];
for (const [what, text, expected] of read)
  test(`reading keeps ${what}`, () => assert.deepEqual(options(text), expected));

const refused: readonly (readonly [string, string])[] = [
  ['[A]\n\nfoo\n', 'u:3: [A] unexpected newline encountered while parsing option name "foo"'],
  ['[A]\nfoo', 'u:2: [A] unexpected newline encountered while parsing option name "foo"'],
  ['[A]\nb=c\n[Unit\n', 'u:3: unable to find end of section: "[Unit"'],
  [
    `[\u001b[31m${'a'.repeat(80)}] x\n`,
    `u:1: [\ufffd[31m${'a'.repeat(55)}…] found garbage after section name [\ufffd[31m${'a'.repeat(55)}…]: "x"`,
  ],
  ['[A]\n[Unit] # x\n', 'u:2: [Unit] found garbage after section name [Unit]: "# x"'],
  [`[A]\nb=${'x'.repeat(2046)}\n`, 'u:2: [A] line too long (max 2048 bytes)'],
  [`[A]\nb=${'é'.repeat(1023)}\n`, 'u:2: [A] line too long (max 2048 bytes)'],
  [`[A]\nb=c\\\n${'x'.repeat(2048)}\n`, 'u:3: [A] b= line too long (max 2048 bytes)'],
  [`#${'x'.repeat(2047)}\n[A]\n`, 'u:1: line too long (max 2048 bytes)'],
  [`[A]\n# \\\n${'x'.repeat(2048)}\n`, 'u:3: [A] line too long (max 2048 bytes)'],
  ['[A]\nb=\ud800\n', 'u:2: [A] b= is not valid UTF-8'],
];
for (const [text, message] of refused) {
  test(`refused: ${message}`, () => {
    assert.throws(() => parseUnitFile(text, 'u'), { name: 'UnitError', code: 'invalid-unit-file', message });
  });
}

test('an error carries its place in fields, and a message without a source names the line', () => {
  assert.throws(
    () => parseUnitFile('[A]\nb=c\\\n\ud800'),
    (error) => {
      assert.ok(error instanceof UnitError);
      const { source, line, section, option, problem, message } = error;
      assert.deepEqual({ source, line, section, option }, { source: undefined, line: 3, section: 'A', option: 'b' });
      assert.equal(message, `line 3: [A] b= ${problem}`);
      return true;
    },
  );
});

test('2047 bytes are not too long, and every line is measured, wherever it stands', () => {
  const longest = `b=${'x'.repeat(2045)}`;
  assert.equal(options(`[A]\n${longest}\n${longest}\r\n#${'x'.repeat(2046)}\n`).length, 2);
  for (let before = 0; before < 5000; before += 250) {
    const text = `#${'x'.repeat(before % 2000)}\n`.repeat(Math.ceil((before + 1) / 2000));
    assert.throws(() => parseUnitFile(`${text}[A]\n${longest}x\n`), UnitError, `after ${before} bytes`);
  }
});

test('bytes that are not UTF-8 may stand in comments only', () => {
  const bytes = (text: string) => Buffer.from(text, 'latin1');
  assert.deepEqual(options(bytes('# \xfc\n[A]\nb=c\n')), ['A|b|c']);
  assert.deepEqual(options(Buffer.from('[A]\nb=ü\n')), ['A|b|ü']);
  assert.throws(() => parseUnitFile(bytes('[A]\nb=\xfc\n'), 'u'), { message: 'u:2: [A] b= is not valid UTF-8' });
  assert.throws(() => parseUnitFile(bytes('[A]\nb=c\\\n\xfc\n'), 'u'), { message: 'u:3: [A] b= is not valid UTF-8' });
  assert.throws(() => parseUnitFile(bytes('[\xfc]\nb=c\n'), 'u'), /u:1: .* is not valid UTF-8/);
});

test('each option has the number of its first line, also when sections come together', () => {
  const { file, lines } = parseUnitFileWithLines('# x\n[B]\nx=1 \\\n 2\n[A]\ny=2\n\n[B]\nz=3');
  assert.deepEqual(
    file.options.map(({ name }, index) => `${name}:${lines[index]}`),
    ['x:3', 'z:9', 'y:6'],
  );
});

test('the canonical text has each section once, in order of first appearance', () => {
  const file = parseUnitFile('[B]\nx=1\n; c\n[A]\n y = 2 \n[Empty]\n[B]\nz=3');
  assert.equal(formatUnitFile(file), '[B]\nx=1\nz=3\n\n[A]\ny=2\n');
  assert.equal(formatUnitFile({ options: [] }), '');
});

test('the hash is the SHA-1 of the canonical text', () => {
  const hash = (text: string) => hashUnitFile(parseUnitFile(text));
  const loop = '/bin/bash -c "while true; do echo Hello, World!; sleep 1; done"';
  assert.equal(hash('[Service]\nExecStart=/bin/sleep 100\n'), '1c6fb6f3684bafb0c173d8b8b957ceff031180c1');
  assert.equal(hash(''), 'da39a3ee5e6b4b0d3255bfef95601890afd80709');
  assert.equal(hash(`# a loop\n[Service]\n\n  ExecStart = ${loop}`), '3750b3e9f3962a56c7582929426e9abb012754cf');
  assert.equal(shortHash(hash('')), 'da39a3e');
});

test('a description is the first one in [Unit]; [Install] counts if it has options', () => {
  const file = parseUnitFile(
    '[Service]\nDescription=no\n[Unit]\nDescription=yes\nDescription=late\n[Install]\nAlias=x',
  );
  assert.equal(describeUnit(file), 'yes');
  assert.equal(hasInstallSection(file), true);
  assert.equal(describeUnit(parseUnitFile('[Unit]\nAfter=x')), undefined);
  assert.equal(hasInstallSection(parseUnitFile('[Install]\n')), false);
});
