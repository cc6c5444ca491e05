import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Bundle, splitBundle } from './bundle.js';

function split(text: string): Bundle {
  return splitBundle(new TextEncoder().encode(text));
}

function sections(text: string): (readonly [string, string, number])[] {
  return split(text).sections.map(({ name, bytes, line }) => [name, Buffer.from(bytes).toString(), line]);
}

function problemLines(text: string): number[] {
  return split(text).problems.map(({ line }) => line);
}

test('a section has the bytes between its separator and the next one', () => {
  assert.deepEqual(sections('# ---- a.service\n[A]\nx=1\n\n# ---- b@.service\n[B]\n'), [
    ['a.service', '[A]\nx=1\n\n', 2],
    ['b@.service', '[B]\n', 6],
  ]);
});

test('CRLF, a byte order mark, a last line without an end and an empty section stay as they are', () => {
  assert.deepEqual(
    sections('\ufeff# ---- a.service\r\n[A]\r\nx=1\r\n# ---- b.service\t\r\n# ---- c.service\n[C]\nx=2'),
    [
      ['a.service', '[A]\r\nx=1\r\n', 2],
      ['b.service', '', 5],
      ['c.service', '[C]\nx=2', 6],
    ],
  );
  assert.deepEqual(sections('# ---- a.service'), [['a.service', '', 2]]);
});

test('bytes that are no text stay in their section', () => {
  const bytes = Buffer.concat([
    Buffer.from('# ---- a.service\n#'),
    Buffer.of(0xff, 0x0a),
    Buffer.from('# ---- b.service\n'),
  ]);
  assert.deepEqual(
    splitBundle(bytes).sections.map((section) => Buffer.from(section.bytes)),
    [Buffer.of(0x23, 0xff, 0x0a), Buffer.of()],
  );
});

test('before the first unit there are only comments and blank lines', () => {
  assert.deepEqual(problemLines('# all of it\n\n ; more\n\t\n# ---- a.service\n[A]\n'), []);
  assert.deepEqual(problemLines('# all\n[A]\nx=1\n# ---- a.service\n[A]\n'), [2]);
  assert.deepEqual(sections('[A]\n# ---- a.service\n[A]\n'), [['a.service', '[A]\n', 3]]);
  assert.deepEqual(problemLines('---- a.service\n[A]\n'), [1]);
});

test('a separator that names no unit is told, and what follows belongs to nobody', () => {
  const text = '# ---- a.service\n[A]\n# ---- b c.service\n[B]\n# ---- c.service\n[C]\n';
  assert.deepEqual(
    sections(text).map(([name, bytes]) => [name, bytes]),
    [
      ['a.service', '[A]\n'],
      ['c.service', '[C]\n'],
    ],
  );
  assert.deepEqual(problemLines(text), [3]);
  assert.deepEqual(problemLines('# ---- web\n# ---- a.service ----\n'), [1, 2]);
});

for (const line of [
  '# ----',
  '# ---- ',
  '# -----',
  '# ---- \t',
  '#---- b.service',
  '# --- b.service',
  ' # ---- b.service',
  '\ufeff# ---- b.service',
  '; ---- b.service',
])
  test(`${JSON.stringify(line)} is a comment like any other`, () => {
    const text = `# ---- a.service\n[A]\n${line}\nx=1\n`;
    assert.deepEqual(sections(text), [['a.service', `[A]\n${line}\nx=1\n`, 2]]);
    assert.deepEqual(problemLines(text), []);
  });

const line = fc.oneof(
  fc.constantFrom(
    '',
    '[Service]',
    '#',
    '# ----',
    'ExecStart=/bin/a \\',
    '\ufeff',
    '\r',
    '# --- x.service',
    '; ---- y.service',
  ),
  fc.string(),
);
const ending = fc.constantFrom('\n', '\n', '\r\n');
const body = fc
  .array(fc.tuple(line, ending), { maxLength: 6 })
  .map((lines) => lines.flat().join(''))
  .filter((text) => !/^# ----[ \t]+\S/m.test(text.replaceAll('\r', '')));
const name = fc.stringMatching(/^[a-z][a-z0-9@]{0,6}$/).map((stem) => `${stem}.service`);
const prelude = fc
  .array(fc.constantFrom('# hello\n', '\n', '  \r\n', ';\n'), { maxLength: 3 })
  .map((lines) => lines.join(''));
const bundle = fc.record({
  prelude,
  parts: fc.array(fc.record({ name, ending, body }), { minLength: 1, maxLength: 5 }),
  /** What the file ends in without a line end. */
  rest: fc.constantFrom('', 'x=1', '#'),
});

test('what was put together comes apart into the same bytes', () => {
  fc.assert(
    fc.property(bundle, ({ prelude: before, parts, rest }) => {
      const bodies = parts.map((part, index) => part.body + (index === parts.length - 1 ? rest : ''));
      const text = before + parts.map((part, index) => `# ---- ${part.name}${part.ending}${bodies[index]}`).join('');
      const file = new TextEncoder().encode(text);
      const { sections: found, problems } = splitBundle(file);
      assert.deepEqual(problems, []);
      assert.deepEqual(
        found.map((section) => section.name),
        parts.map((part) => part.name),
      );
      assert.deepEqual(
        found.map((section) => Buffer.from(section.bytes).toString('hex')),
        bodies.map((each) => Buffer.from(each).toString('hex')),
      );
      for (const { bytes, line: begins } of found)
        assert.equal(
          begins,
          file.subarray(0, bytes.byteOffset - file.byteOffset).filter((byte) => byte === 10).length + 1,
        );
    }),
  );
});
