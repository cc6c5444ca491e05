import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatUnitFile, hashUnitFile } from './canonical.js';
import { UnitError } from './errors.js';
import { parseRequirements } from './requirements.js';
import { parseUnitFile, parseUnitFileWithLines } from './unit-file.js';
import type { UnitFile } from './unit-model.js';
import { parseUnitName } from './unit-name.js';
import { unitFileFromOptions } from './unit-options.js';

/** Text that is full of what the grammar cares about, mostly in lines that it can read. */
const piece = fc.constantFrom(
  ...[
    '[',
    ']',
    '=',
    'a',
    ' b ',
    '\\',
    '\\\n',
    '\\ ',
    '\n',
    '\r\n',
    '\r',
    '#',
    ';',
    '"',
    '\t',
    '%i',
    '*',
    '\u0085',
    'é',
    '\0',
  ],
);
const pieces = fc.array(piece, { maxLength: 5 }).map((list) => list.join(''));
const start = fc.constantFrom(
  'a=',
  'b =',
  ' c= ',
  '=',
  '#',
  ' ;',
  '',
  'Conflicts=',
  'MachineOf=',
  'Global=',
  '[A]',
  '[B] ',
);
const end = fc.constantFrom('\n', '\n', '\n', '\r\n', '\\\n', '\\\r\n', '\\ \n', '', '\n\n');
const unitText = fc
  .tuple(
    fc.constantFrom('[A]\n', '[X-Fleet]\n', '\ufeff[A]\n', ''),
    fc.array(fc.tuple(start, pieces, end), { maxLength: 6 }),
  )
  .map(([first, lines]) => first + lines.flat().join(''));
const anyText = fc.oneof({ weight: 8, arbitrary: unitText }, fc.string(), fc.string({ unit: 'binary' }));
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.tuple(unitText, fc.uint8Array({ maxLength: 3 }), unitText).map((parts) => {
    const [before, bytes, after] = parts;
    return Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
  }),
);

/** What `run` returns, or `undefined` if it throws a UnitError. Other errors pass. */
function unlessRefused<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof UnitError) return undefined;
    throw error;
  }
}

function assertRoundTrip(file: UnitFile): void {
  const text = formatUnitFile(file);
  const again = parseUnitFile(text);
  assert.deepEqual(again, file);
  assert.equal(formatUnitFile(again), text);
  assert.equal(hashUnitFile(again), hashUnitFile(file));
}

test('whatever can be read survives the round trip; all else is a UnitError', () => {
  const seen = { read: 0, options: 0 };
  fc.assert(
    fc.property(fc.oneof({ weight: 3, arbitrary: anyText }, anyBytes), (text) => {
      const parsed = unlessRefused(() => parseUnitFileWithLines(text, 'u'));
      if (parsed === undefined) return;
      seen.read++;
      seen.options += parsed.file.options.length;
      assert.equal(parsed.lines.length, parsed.file.options.length);
      assertRoundTrip(parsed.file);
    }),
    { numRuns: 2000 },
  );
  assert.ok(seen.read > 200 && seen.options > 200, `too few files were readable: ${JSON.stringify(seen)}`);
});

test('text and its UTF-8 bytes read alike', () => {
  fc.assert(
    fc.property(fc.oneof(unitText, fc.string()), (text) => {
      const [one, other] = [text, Buffer.from(text)].map((input) => unlessRefused(() => parseUnitFile(input)));
      assert.deepEqual(one, other);
    }),
  );
});

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 .-]{0,8}[A-Za-z]$/);
const section = fc.constantFrom('Unit', 'Service', 'Install', 'X-Fleet', ' odd ', '');
const word = fc.stringMatching(/^[!-~é]{0,12}$/);
const value = fc.array(word, { maxLength: 4 }).map((words) => words.join(' ').trim());
const continued = fc
  .array(fc.stringMatching(/^ {0,3}[!-[]{1,8}$/), { minLength: 2, maxLength: 4 })
  .map((lines) => lines.join(' \\\n').trim());
const options = fc.array(fc.record({ section, name, value: fc.oneof(value, continued) }), { maxLength: 12 });

test('options become a file that holds each of them and survives the round trip', () => {
  fc.assert(
    fc.property(options, (given) => {
      const file = unitFileFromOptions(given);
      assertRoundTrip(file);
      const sorted = (list: UnitFile['options']) => list.map((option) => JSON.stringify(option)).sort();
      const inOrder = given.map((option) => ({ section: option.section, name: option.name, value: option.value }));
      assert.deepEqual(sorted(file.options), sorted(inOrder));
    }),
  );
});

test('any list of values becomes a file that survives the round trip, or a UnitError', () => {
  const part = fc.oneof(anyText, fc.constantFrom('Service', 'A'));
  const hostile = fc.array(fc.record({ section: part, name: part, value: anyText }), { maxLength: 3 });
  fc.assert(
    fc.property(fc.oneof(hostile, fc.array(fc.anything(), { maxLength: 3 })), (list) => {
      const file = unlessRefused(() => unitFileFromOptions(list));
      if (file === undefined) return;
      assert.equal(file.options.length, list.length);
      assertRoundTrip(file);
    }),
    { numRuns: 2000 },
  );
});

test('requirements of any text are read or refused with a UnitError', () => {
  const key = fc.constantFrom(
    'MachineID',
    'MachineOf',
    'X-ConditionMachineOf',
    'MachineMetadata',
    'Conflicts',
    'Global',
    'PreferConflicts',
    'PreferMachineMetadata',
    'SpreadOver',
    'Strategy',
  );
  const expression = fc
    .array(fc.constantFrom('k', '=', '!', '<', '>', '7', ':', ' ', '"', '%i', 'v'), { maxLength: 8 })
    .map((parts) => parts.join(''));
  const line = fc
    .tuple(fc.oneof(key, name), fc.oneof(unitText, value, expression))
    .map(([left, right]) => `${left}=${right}\n`);
  const unit = fc.constantFrom('a.service', 'a@.service', 'a@1.service').map(parseUnitName);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), unit, fc.boolean(), (lines, unitName, allowUnknown) => {
      unlessRefused(() => {
        const { file } = parseUnitFileWithLines(`[X-Fleet]\n${lines.join('')}`);
        return parseRequirements({ name: unitName, file, allowUnknown });
      });
    }),
  );
});
